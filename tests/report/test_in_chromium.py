"""The page in a real browser: nothing planted runs, nothing scrolls sideways, controls work."""

from __future__ import annotations

from pathlib import Path

import pytest

from .chromium import Chromium
from .conftest import RUNS, Reports

_FILTERS = """(() => {
  const labels = [...document.querySelectorAll('.filters label')];
  const find = (words) => labels.find(one => one.firstChild.textContent === words);
  const set = (words, value) => {
    const control = find(words).querySelector('select, input');
    control.value = value;
    control.dispatchEvent(new Event(control.tagName === 'INPUT' ? 'input' : 'change'));
  };
  const count = () => document.querySelector('.pager output').textContent;
  const data = JSON.parse(document.getElementById('examples-data').textContent);
  %s
})()"""


@pytest.mark.parametrize("name", ["hostile", "hostile text"])
def test_nothing_that_data_or_models_say_runs(
    name: str, reports: Reports, browser: Chromium
) -> None:
    browser.open(reports.page(name))
    title = browser.evaluate("document.title")
    for select in range(browser.evaluate("document.querySelectorAll('select').length")):
        browser.evaluate(
            f"(() => {{ const one = document.querySelectorAll('select')[{select}];"
            "one.selectedIndex = one.options.length - 1;"
            "one.dispatchEvent(new Event('change')); })()"
        )
    browser.evaluate("document.querySelectorAll('thead button').forEach(one => one.click())")
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.complaints() == []
    assert browser.evaluate("typeof window.pwned") == "undefined"
    assert browser.evaluate("document.title") == title
    assert "pwned" not in title.replace("document.title='pwned'", "")
    assert browser.evaluate("document.querySelectorAll('img, iframe, object').length") == 0
    assert browser.evaluate("document.querySelectorAll('script').length") == 2
    text = browser.evaluate("document.body.textContent")
    assert "<|im_end|>" in text
    for character in "\x1b\x07\x9b\u202e\u202c":
        assert character not in text


def test_the_policy_stops_a_script_that_got_into_the_page(
    reports: Reports, browser: Chromium, tmp_path: Path
) -> None:
    html = reports.page("failed").read_text()
    planted = "<script>window.pwned = 1</script><img src='x' onerror='window.pwned = 2'>"
    page = tmp_path / "planted.html"
    page.write_text(html.replace("<footer>", planted + "<footer>"))
    browser.open(page)
    assert browser.complaints() != []
    assert browser.evaluate("typeof window.pwned") == "undefined"


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_never_scrolls_sideways(
    name: str, width: int, reports: Reports, browser: Chromium
) -> None:
    browser.open(reports.page(name), width)
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []


def test_headings_sort_numbers_and_keep_unknown_values_last(
    reports: Reports, browser: Chromium
) -> None:
    browser.open(reports.page("text"))
    order = (
        "[...document.querySelectorAll('.comparison tbody tr')].map(row => "
        "row.cells[1].dataset.value === undefined ? null : +row.cells[1].dataset.value)"
    )
    click = "document.querySelectorAll('.comparison thead button')[1].click()"
    browser.evaluate(click)
    falling = browser.evaluate(order)
    browser.evaluate(click)
    rising = browser.evaluate(order)
    assert falling[-1] is None
    assert rising[-1] is None
    assert falling[:-1] == sorted(falling[:-1], reverse=True)
    assert rising[:-1] == falling[:-1][::-1]
    sort = "document.querySelectorAll('.comparison thead th')[1].getAttribute('aria-sort')"
    assert browser.evaluate(sort) == "ascending"


def test_filters_find_rows_where_a_is_right_and_b_is_wrong(
    reports: Reports, browser: Chromium
) -> None:
    browser.open(reports.page("labels"))
    said, right = browser.evaluate(
        _FILTERS % "set('A', '0'); set('B', '8'); set('Show', 'better');"
        "return [count(), data.rows.filter(row => row.answers[0][2] > row.answers[8][2]).length];"
    )
    assert 0 < right < 240
    assert said.startswith(f"1 to 10 of {right} ")
    marks = browser.evaluate(
        "[...document.querySelectorAll('.example')].map(one => ["
        "one.querySelectorAll('.answer')[0].querySelector('.mark').textContent,"
        "one.querySelectorAll('.answer')[8].querySelector('.mark').textContent])"
    )
    assert marks == [["✓", "✗"]] * 10


def test_filters_by_label_disagreement_and_words(reports: Reports, browser: Chromium) -> None:
    browser.open(reports.page("labels"))
    script = "set('Show', 'differ'); set('Gold label', 'fraud'); return count();"
    said = browser.evaluate(_FILTERS % script)
    gold = "[...document.querySelectorAll('.accepted')].map(one => one.textContent)"
    assert set(browser.evaluate(gold)) == {"fraud"}
    assert "of 240 rows" in said
    browser.evaluate(_FILTERS % "set('Search inputs and answers', 'no such words at all');")
    browser.evaluate("new Promise(done => setTimeout(done, 250))")
    assert browser.evaluate(_FILTERS % "return count();") == "No row is like that."


def test_500_rows_of_10_candidates_are_drawn_and_filtered_quickly(
    reports: Reports, browser: Chromium
) -> None:
    browser.open(reports.page("large"))
    slowest = browser.evaluate(
        _FILTERS % "const took = [];"
        "for (const kind of ['better', 'worse', 'unequal', 'differ', 'failed', '']) {"
        "  const start = performance.now(); set('Show', kind);"
        "  took.push(performance.now() - start);"
        "} return Math.max(...took);"
    )
    assert slowest < 500  # milliseconds; some 20 on an idle machine
    assert browser.evaluate(_FILTERS % "return count();") == "1 to 10 of 500 rows"


def test_a_confusion_matrix_is_chosen_by_entry(reports: Reports, browser: Chromium) -> None:
    browser.open(reports.page("labels"))
    shown = (
        "[...document.querySelectorAll('.panel')].filter(one => !one.hidden)"
        ".map(one => one.dataset.title)"
    )
    assert len(browser.evaluate(shown)) == 1
    browser.evaluate(
        "(() => { const one = document.querySelector('.panels select'); one.value = '3';"
        "one.dispatchEvent(new Event('change')); })()"
    )
    wanted = browser.evaluate("document.querySelectorAll('.panel')[3].dataset.title")
    assert browser.evaluate(shown) == [wanted]


def test_verdict_table_and_figures_stand_without_scripts(
    reports: Reports, browser: Chromium
) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(reports.page("labels"))
        count = "document.querySelectorAll('.comparison tbody tr').length"
        assert browser.evaluate(count) == 9
        assert browser.evaluate("document.querySelectorAll('.wide svg').length") == 4
        assert "needs JavaScript" in browser.evaluate(
            "document.querySelector('noscript').innerText"
        )
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_a_contrast_of_at_least_four_and_a_half(
    scheme: str, reports: Reports, browser: Chromium
) -> None:
    browser.open(reports.page("labels"), prefers_color_scheme=scheme)
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    low = browser.evaluate(_CONTRAST)
    assert low == []


_CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (color) => {
    const [r, g, b] = color.map(v => v / 255).map(
      v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const color = rgb(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const seen = new Set(), low = [];
  for (const node of document.body.querySelectorAll('*')) {
    const own = [...node.childNodes].some(one => one.nodeType === 3 && one.data.trim());
    if (!own || !node.getClientRects().length || node.matches(':disabled')) continue;
    const style = getComputedStyle(node);
    const svg = node instanceof SVGElement;
    let back = ground(svg ? node.closest('svg').parentElement : node);
    if (svg && node.matches('.count, .m text')) {
      const mark = node.matches('.count') ? node.previousElementSibling
        : node.parentElement.querySelector('.mark');
      const fill = getComputedStyle(mark).fill;
      if (fill !== 'none') back = rgb(fill);
    }
    const front = rgb(svg ? style.fill : style.color);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const key = `${node.tagName}.${node.getAttribute('class')} ${front} ${back}`;
    if (ratio < 4.5 && !seen.has(key)) { seen.add(key); low.push(key + ' ' + ratio.toFixed(2)); }
  }
  return low;
})()"""


def test_what_was_written_on_the_way_unfolds(reports: Reports, browser: Chromium) -> None:
    browser.open(reports.page("text"))
    found = "document.querySelector('.answer details')"
    assert browser.evaluate(f"{found}.querySelector('summary').textContent").endswith("2 texts")
    assert browser.evaluate(f"{found}.querySelector('p').checkVisibility()") is False
    browser.evaluate(f"{found}.open = true")
    assert browser.evaluate(f"{found}.querySelector('p').checkVisibility()") is True
    assert browser.evaluate(f"{found}.querySelector('p').textContent").endswith("(draft)")
    answers = browser.evaluate(
        "document.querySelectorAll('.example')[0].querySelectorAll('details').length"
    )
    assert answers == 1, "those that answered directly have nothing to unfold"
