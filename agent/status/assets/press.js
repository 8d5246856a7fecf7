// Buttons work without script too (a form, then the page again). With script the page stays where it is, and the answer is
// the next drawing. What went wrong is said, and read out.
export function pressable(said) {
  const say = (text) => {
    said.textContent = text;
    said.hidden = text === "";
    if (text) said.focus();
  };
  document.addEventListener("submit", async (event) => {
    const form = event.target, button = event.submitter ?? form.querySelector("button");
    if (form.hasAttribute("data-go")) return; // it leads to another page
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, {
        method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form)), signal: AbortSignal.timeout(5000),
      });
      if (answer.ok) return say("");
      const problem = await answer.json().catch(() => ({}));
      if (answer.status === 401 && problem.sign_in) return signIn(problem.sign_in, form);
      say(`That did not work: ${problem.detail ?? answer.statusText}`);
    } catch {
      say("That did not work: the box did not answer.");
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

// signIn goes to the sign-in page, which leads back to the place where the button is.
function signIn(where, form) {
  const to = new URL(where, location.href), at = form.closest("[id]:not(form)")?.id;
  to.searchParams.set("next", location.pathname + (at ? `#${at}` : ""));
  location.assign(to);
}
