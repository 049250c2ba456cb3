import { describe, expect, test } from "vitest";
import { bindings, commandFor, type KeyPress } from "../../src/model/keys.ts";

function press(code: string, key: string, modifiers = "ctrl shift"): KeyPress {
  return {
    code,
    key,
    ctrlKey: modifiers.includes("ctrl"),
    shiftKey: modifiers.includes("shift"),
    altKey: modifiers.includes("alt"),
    metaKey: modifiers.includes("meta"),
  };
}

test.each([
  [press("KeyE", "E"), "split-right"],
  [press("KeyO", "O"), "split-down"],
  [press("Enter", "Enter"), "new-tab"],
  [press("BracketRight", "}"), "next-tab"],
  [press("Slash", "?"), "help"],
  [press("Equal", "+"), "larger-text"],
  [press("Digit3", "#"), "tab-3"],
  [press("Digit0", ")"), "default-text"],
  [press("ArrowUp", "ArrowUp"), "grow-up"],
  [press("ArrowLeft", "ArrowLeft", "alt"), "focus-left"],
])("%j runs %s", (key, command) => expect(commandFor(key, false)).toBe(command));

describe("terminals keep their keys", () => {
  test.each([
    press("KeyC", "c", "ctrl"),
    press("KeyE", "e", "ctrl"),
    press("KeyE", "E", "shift"),
    press("KeyE", "E", "ctrl shift alt"),
    press("KeyE", "E", "ctrl shift meta"),
    press("ArrowLeft", "ArrowLeft", "ctrl"),
    press("Enter", "Enter", ""),
  ])("%j", (key) => expect(commandFor(key, false)).toBeUndefined());
});

test("letters go by what they print, or by their place where they print no Latin letter", () => {
  expect(commandFor(press("KeyW", "Z"), false)).toBe("zoom-pane");
  expect(commandFor(press("KeyZ", "Я"), false)).toBe("zoom-pane");
});

test("Option with an arrow moves by words on a Mac", () => {
  expect(commandFor(press("ArrowLeft", "ArrowLeft", "alt"), true)).toBeUndefined();
  expect(commandFor(press("ArrowLeft", "ArrowLeft", "ctrl alt"), true)).toBe("focus-left");
});

test("no two commands share a chord, and none takes a key that browsers keep", () => {
  const keys = bindings().flatMap((binding) => (binding.keys === "" ? [] : [binding.keys]));
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.filter((chord) => /\+[TNWQP]$/.test(chord))).toEqual([]);
});
