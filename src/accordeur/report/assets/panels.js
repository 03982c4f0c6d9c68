// Groups of folded panels become one panel with a selector.
(function () {
  "use strict";
  document.querySelectorAll(".panels").forEach(function (group) {
    var panels = Array.from(group.querySelectorAll(".panel"));
    var label = document.createElement("label");
    var select = document.createElement("select");
    label.append(group.getAttribute("data-label"), select);
    panels.forEach(function (panel, place) {
      var option = document.createElement("option");
      option.value = String(place);
      option.textContent = panel.getAttribute("data-title");
      select.appendChild(option);
    });
    function show() {
      panels.forEach(function (panel, place) {
        var chosen = String(place) === select.value;
        panel.open = chosen;
        panel.hidden = !chosen;
      });
    }
    select.addEventListener("change", show);
    group.insertBefore(label, group.firstChild);
    group.classList.add("chosen");
    show();
  });
})();
