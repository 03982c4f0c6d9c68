// Buttons with `data-copy` copy the text of an element; where that is not allowed they select it.
(function () {
  "use strict";
  document.querySelectorAll("[data-copy]").forEach(function (button) {
    var source = document.getElementById(button.getAttribute("data-copy"));
    function select() {
      var around = source.closest("details");
      if (around) around.open = true;
      window.getSelection().selectAllChildren(source);
      button.textContent = "Selected";
    }
    button.hidden = false;
    button.addEventListener("click", function () {
      if (!navigator.clipboard) return select();
      navigator.clipboard.writeText(source.textContent).then(function () {
        button.textContent = "Copied";
      }, select);
    });
  });
})();
