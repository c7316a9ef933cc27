// Stands in for the two inline event handlers of starlette-admin's lists.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-apply-columns]")) window.applyColumnVisibility();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-go-to]")) window.location = event.target.value;
});
