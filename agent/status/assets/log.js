// The log's filter. It hides lines of what the box draws and is applied again to each drawing.

export function logFilter() {
  const find = document.getElementById("log-find"), buttons = { all: document.getElementById("log-all"), trouble: document.getElementById("log-trouble") };
  let only = "all";

  function apply() {
    const wanted = find.value.trim().toLowerCase(), older = document.getElementById("older");
    let shown = 0, all = 0;
    for (const line of document.querySelectorAll("#log .lines > li")) {
      all++;
      const trouble = line.classList.contains("warning") || line.classList.contains("bad");
      line.hidden = (only === "trouble" && !trouble) || !line.textContent.toLowerCase().includes(wanted);
      if (!line.hidden) shown++;
    }
    const filtered = only === "trouble" || wanted !== "";
    if (filtered && older) older.open = true;
    const none = document.getElementById("log-none"), words = filtered ? `${shown} of ${all} lines` : "";
    if (none && none.textContent !== words) none.textContent = words;
  }

  for (const [which, button] of Object.entries(buttons)) {
    button.addEventListener("click", () => {
      only = which;
      for (const [name, b] of Object.entries(buttons)) b.setAttribute("aria-pressed", String(name === which));
      apply();
    });
  }
  find.addEventListener("input", apply);
  document.getElementById("log-filter").hidden = false;
  return apply;
}
