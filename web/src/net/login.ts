// What to do when the gateway does not let this page in any more.

/** Goes to the login page if that is what is missing. A socket's failure does not say why; a request's does. */
export async function redirectToLogin(): Promise<void> {
  try {
    const mux = await fetch("mux", { redirect: "manual", cache: "no-store" });
    if (mux.status !== 401) return;
    const health = await fetch("healthz", { cache: "no-store" });
    if (health.ok) location.assign("login");
  } catch {
    // No gateway there at all: the link keeps trying.
  }
}
