// Notifications of the system, for when nobody looks at the page.

/** Whether the browser has such notifications at all, and lets this page have them. Plain HTTP pages have none. */
function isSupported(): boolean {
  return "Notification" in globalThis && isSecureContext;
}

/** Asks the browser's user, who must have asked for it; `false` if they or the browser refuse. */
export async function askForNotifications(): Promise<boolean> {
  return isSupported() && (await Notification.requestPermission()) === "granted";
}

/** Shows a notification, if that was allowed before; a later one with the same tag takes its place. */
export function notify(title: string, body: string, tag: string, click: () => void): void {
  if (!isSupported() || Notification.permission !== "granted") return;
  try {
    const notification = new Notification(title, { body, tag });
    notification.onclick = () => {
      window.focus();
      notification.close();
      click();
    };
  } catch {
    // Some phones' browsers have them for installed pages only.
  }
}
