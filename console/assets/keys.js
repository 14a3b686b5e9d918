// "/" goes to the search field, or to the page that has one; Escape leaves a field; arrows walk from a field through
// what it found, and through lists.
function toSearch() {
  const field = document.querySelector(".to-search input");
  if (field) { field.focus(); field.select(); }
  return field;
}
document.addEventListener("keydown", event => {
  const typing = event.target.closest("input, textarea, [contenteditable]");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    if (!toSearch()) location.href = "/#search";
  }
  if (event.key === "Escape" && typing) event.target.blur();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const field = event.target.closest(".to-search, .searching");
  const list = event.target.closest(".walk") || (field && field.parentElement.querySelector(".walk"));
  const stops = list ? [...list.querySelectorAll("button")] : [];
  const next = stops[stops.indexOf(event.target) + step];
  if (next) { event.preventDefault(); next.focus(); }
});

if (location.hash === "#search") {
  const waiting = setInterval(() => { if (toSearch()) clearInterval(waiting); }, 50);
}
