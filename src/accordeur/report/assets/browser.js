// The example browser. Everything it shows is data: nodes are made by name, texts set as text.
(function () {
  "use strict";
  var PAGE = 10;
  var root = document.getElementById("browser");
  var source = document.getElementById("examples-data");
  if (!root || !source) return;
  var data = JSON.parse(source.textContent);
  var graded = data.kind !== "labels";
  var TEXT = 0, STATUS = 1, SCORE = 2, TOP = 3, ERROR = 4, TRACE = 5;
  var found = data.rows;
  var start = 0;

  function node(name, className, text) {
    var made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function outside(name, className, text) { // a text of data or a model, its direction its own
    var made = node(name, className, text);
    made.dir = "auto";
    return made;
  }
  function fold(text) { return text.toLowerCase().replace(/\s+/g, " ").trim(); }

  // -- rows as the filters see them, computed once --
  data.rows.forEach(function (row) {
    var said = row.answers.filter(Boolean);
    row.words = fold([row.id].concat(
      row.input.map(function (piece) { return piece[1]; }), row.expected || [],
      said.map(function (answer) { return answer[TEXT]; })
    ).join("\n"));
    row.differ = new Set(said.map(function (answer) { return fold(answer[TEXT]); })).size > 1;
  });

  // -- controls --
  function option(value, text) {
    var made = node("option", "", text);
    made.value = value;
    return made;
  }
  function choice(words, options) {
    var label = node("label", "", words), select = node("select");
    options.forEach(function (one) { select.appendChild(option(one[0], one[1])); });
    label.appendChild(select);
    select.addEventListener("change", update);
    filters.appendChild(label);
    return select;
  }
  var filters = node("form", "filters");
  filters.setAttribute("role", "search");
  filters.addEventListener("submit", function (event) { event.preventDefault(); });
  var searchLabel = node("label", "search", "Search inputs and answers");
  var search = node("input");
  search.type = "search";
  searchLabel.appendChild(search);
  filters.appendChild(searchLabel);
  var timer = 0;
  search.addEventListener("input", function () {
    clearTimeout(timer);
    timer = setTimeout(update, 150);
  });
  var names = data.entries.map(function (entry, place) {
    return [String(place), entry.number + " " + entry.name + (entry.pick ? " (pick)" : "")];
  });
  var pick = Math.max(data.entries.findIndex(function (entry) { return entry.pick; }), 0);
  var base = data.entries.findIndex(function (entry) { return entry.name === "as-is"; });
  if (base < 0 || base === pick) base = pick === 0 && names.length > 1 ? 1 : 0;
  var better = graded ? "A scores higher than B" : "A right, B wrong";
  var worse = graded ? "B scores higher than A" : "B right, A wrong";
  var show = choice("Show", [
    ["", "all rows"], ["better", better], ["worse", worse], ["unequal", "A and B differ"],
    ["differ", "any two differ"], ["failed", "A has no usable answer"], ["wrong", graded ? "A scores 0" : "A wrong"]
  ]);
  var first = choice("A", names), second = choice("B", names);
  first.value = String(pick);
  second.value = String(base);
  var gold = data.labels.length ? choice("Gold label", [["", "any"]].concat(
    data.labels.map(function (label) { return [label, label]; }))) : null;

  // -- pages --
  var previous = node("button", "", "← Previous"), next = node("button", "", "Next →");
  var state = node("output");
  state.setAttribute("aria-live", "polite");
  [previous, next].forEach(function (button) { button.type = "button"; });
  previous.addEventListener("click", function () { turn(-PAGE); });
  next.addEventListener("click", function () { turn(PAGE); });
  var pager = node("div", "pager");
  pager.append(previous, next, state);
  var list = node("div", "examples");

  function keep(row) {
    var a = row.answers[first.value], b = row.answers[second.value];
    var scored = a && b && a[SCORE] !== null && b[SCORE] !== null;
    var wanted = {
      "": function () { return true; },
      better: function () { return scored && a[SCORE] > b[SCORE]; },
      worse: function () { return scored && a[SCORE] < b[SCORE]; },
      unequal: function () { return a && b && fold(a[TEXT]) !== fold(b[TEXT]); },
      differ: function () { return row.differ; },
      failed: function () { return a && a[STATUS] !== "ok"; },
      wrong: function () { return a && a[SCORE] === 0; }
    }[show.value];
    if (!wanted()) return false;
    if (gold && gold.value && !(row.expected || []).includes(gold.value)) return false;
    return !search.value || row.words.includes(fold(search.value));
  }
  function update() {
    found = data.rows.filter(keep);
    start = 0;
    draw();
  }
  function turn(by) {
    start = Math.min(Math.max(start + by, 0), Math.max(found.length - 1, 0));
    draw();
    pager.scrollIntoView({ block: "start" });
  }

  // -- drawing --
  function percent(value) { return (100 * value).toFixed(value < 0.0995 ? 1 : 0) + "\u00a0%"; }
  function answerNode(answer, place, row) {
    var entry = data.entries[place];
    var used = show.value && show.value !== "differ";
    var chosen = used && (String(place) === first.value || String(place) === second.value);
    var box = node("div", "answer" + (chosen ? " chosen" : ""));
    box.appendChild(outside("h4", "", entry.number + " " + entry.name + (entry.pick ? " ◆ pick" : "")));
    if (!answer) {
      box.appendChild(node("p", "status", "not asked"));
      return box;
    }
    var score = answer[SCORE];
    if (!graded && score === 0) box.classList.add("wrong");
    var line = outside("p", "said");
    if (!graded && score !== null) {
      var mark = node("span", "mark", score === 1 ? "✓" : score === 0 ? "✗" : "~");
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", score === 1 ? "right" : score === 0 ? "wrong" : "partly right");
      line.appendChild(mark);
    }
    line.appendChild(document.createTextNode(answer[TEXT] === "" ? "(empty)" : answer[TEXT]));
    box.appendChild(line);
    if (graded) {
      box.appendChild(node("p", "status", score === null ? "no score" : "score " + (100 * score).toFixed(1)));
    }
    if (answer[STATUS] !== "ok") {
      box.appendChild(outside("p", "status", answer[STATUS] + (answer[ERROR] ? ": " + answer[ERROR] : "")));
    }
    if (answer[TOP]) box.appendChild(probabilities(answer[TOP], row));
    if (answer[TRACE]) box.appendChild(onTheWay(answer[TRACE]));
    return box;
  }
  function onTheWay(replies) {
    var shown = node("details");
    shown.appendChild(node("summary", "", "on the way: " + replies.length +
      (replies.length === 1 ? " text" : " texts")));
    replies.forEach(function (reply) {
      shown.append(outside("h5", "", reply[0]), outside("p", "status", reply[1] || "(empty)"));
    });
    return shown;
  }
  function probabilities(top, row) {
    var shown = node("ul");
    shown.setAttribute("aria-label", "Probabilities");
    top.forEach(function (pair, place) {
      var name = data.labels[pair[0]];
      var right = (row.expected || []).includes(name);
      if (place > 2 && !right) return;
      var item = node("li", right ? "gold" : "");
      item.append(outside("span", "", name), node("span", "", percent(pair[1])));
      shown.appendChild(item);
    });
    return shown;
  }
  function rowNode(row) {
    var made = node("article", "example"), head = node("header");
    made.setAttribute("aria-label", "Row " + row.id);
    head.appendChild(outside("code", "", row.id));
    var accepted = row.expected === null ? "unlabelled"
      : row.expected.length ? row.expected.join(" | ") : "(abstain)";
    if (!graded || accepted.length < 80) {
      var gold = node("span", "", "expected ");
      gold.appendChild(outside("span", "accepted", accepted));
      head.appendChild(gold);
    }
    made.appendChild(head);
    made.appendChild(textBox(row.input, "Input"));
    if (graded && accepted.length >= 80) {
      made.appendChild(textBox(row.expected.map(function (one) { return ["expected", one]; }), "Expected"));
    }
    var answers = node("div", "answers");
    row.answers.forEach(function (answer, place) { answers.appendChild(answerNode(answer, place, row)); });
    made.appendChild(answers);
    return made;
  }
  function textBox(pieces, label) {
    var box = outside("div", "input");
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", label);
    pieces.forEach(function (piece, place) {
      if (place) box.appendChild(document.createTextNode("\n"));
      if (piece[0]) box.appendChild(node("b", "", piece[0]));
      box.appendChild(document.createTextNode(piece[1]));
    });
    return box;
  }
  function draw() {
    var last = Math.min(start + PAGE, found.length);
    list.replaceChildren.apply(list, found.slice(start, last).map(rowNode));
    previous.disabled = start === 0;
    next.disabled = last >= found.length;
    state.textContent = found.length
      ? (start + 1) + " to " + last + " of " + found.length + (found.length < data.rows.length
        ? " (of " + data.rows.length + " rows)" : " rows")
      : "No row is like that.";
  }
  root.classList.add(graded ? "text" : "labels");
  root.append(filters, pager, list);
  draw();
})();
