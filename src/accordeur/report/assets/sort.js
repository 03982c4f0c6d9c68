// Tables of class `sortable`: each heading with `data-sort` becomes a button.
(function () {
  "use strict";
  function value(row, column, numeric) {
    var cell = row.cells[column];
    var text = cell.getAttribute("data-value");
    if (!numeric) return text === null ? cell.textContent : text;
    return text === null ? null : Number(text);
  }
  function compare(a, b, direction) {
    if (a === b) return 0;
    if (a === null) return 1; // unknown values stay last in both directions
    if (b === null) return -1;
    if (typeof a === "string") return direction * a.localeCompare(b, "en", { numeric: true });
    return direction * (a - b);
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    var headings = Array.from(table.tHead.rows[0].cells);
    headings.forEach(function (heading, column) {
      var numeric = heading.getAttribute("data-sort") === "number";
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      heading.textContent = "";
      heading.appendChild(button);
      button.addEventListener("click", function () {
        var first = numeric ? "descending" : "ascending";
        var other = numeric ? "ascending" : "descending";
        var order = heading.getAttribute("aria-sort") === first ? other : first;
        headings.forEach(function (one) { one.removeAttribute("aria-sort"); });
        heading.setAttribute("aria-sort", order);
        var direction = order === "ascending" ? 1 : -1;
        var body = table.tBodies[0];
        Array.from(body.rows)
          .map(function (row) { return [value(row, column, numeric), row]; })
          .sort(function (a, b) { return compare(a[0], b[0], direction); })
          .forEach(function (pair) { body.appendChild(pair[1]); });
      });
    });
  });
})();
