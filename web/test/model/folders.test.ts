import { expect, test } from "vitest";
import { Folders } from "../../src/model/folders.ts";

/** A walk that began in `root` and came to `current`. */
function walk(root: string, current: string, ...directories: string[]): Folders {
  const folders = new Folders();
  folders.told(folders.ask(), { current: root, directories: [] });
  folders.told(folders.ask(), { current, directories });
  return folders;
}

test("the way leads from the root to the current folder, and not above it", () => {
  const folders = walk("/home/ada", "/home/ada/code/web", "src", "test");
  expect(folders.crumbs).toEqual([
    { name: "/home/ada", path: "/home/ada" },
    { name: "code", path: "/home/ada/code" },
    { name: "web", path: "/home/ada/code/web" },
  ]);
  expect(folders).toMatchObject({ current: "/home/ada/code/web", parent: "/home/ada/code", names: ["src", "test"] });
  expect(folders.below("src")).toBe("/home/ada/code/web/src");
  expect(walk("/home/ada", "/home/ada").parent).toBeUndefined();
});

test("the whole disk may be the root", () => {
  expect(walk("/", "/srv/app").crumbs).toEqual([
    { name: "/", path: "/" },
    { name: "srv", path: "/srv" },
    { name: "app", path: "/srv/app" },
  ]);
  expect(walk("/", "/").below("srv")).toBe("/srv");
});

test("a folder that only begins like the root is not below it", () => {
  expect(walk("/home/ada", "/home/adam").crumbs.map(({ name }) => name)).toEqual(["/home/ada", "/home/adam"]);
});

test("of several questions only the newest one's answer counts", () => {
  const folders = new Folders();
  folders.told(folders.ask(), { current: "/", directories: ["a", "b"] });
  const [first, second] = [folders.ask(), folders.ask()];
  expect(folders.told(first, { current: "/a", directories: [] })).toBe(false);
  expect(folders).toMatchObject({ current: "/", busy: true });
  expect(folders.told(second, { current: "/b", directories: [] })).toBe(true);
  expect(folders.refused(first, "too late")).toBe(false);
  expect(folders).toMatchObject({ current: "/b", busy: false, error: "" });
});

test("a refusal says why and leaves what was shown", () => {
  const folders = walk("/", "/srv", "app");
  expect(folders.refused(folders.ask(), "not ours to read")).toBe(true);
  expect(folders).toMatchObject({ current: "/srv", names: ["app"], error: "not ours to read", busy: false });
  folders.told(folders.ask(), { current: "/srv/app", directories: [] });
  expect(folders.error).toBe("");
});

test("before the first answer there is nothing", () => {
  const folders = new Folders();
  folders.ask();
  expect(folders).toMatchObject({ current: undefined, parent: undefined, names: [], crumbs: [], busy: true });
});
