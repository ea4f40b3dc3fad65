// A press on a row of a list whose rows may be replaced before it is let go.

const STILL = 5; // pixels that a hand moves between pressing and letting go

/**
 * What a click is meant for, of what the pointer was pressed on and what stands there when it is let go. Where that is
 * another it is the first, unless the pointer went elsewhere. A click that no pointer made was not pressed.
 * @template At
 * @param {(At & { x: number, y: number }) | null} pressed
 * @param {At | null} now
 * @param {{ clientX: number, clientY: number, detail: number }} click
 * @param {(one: At, other: At) => boolean} isSame
 * @returns {At | null}
 */
export function meantBy(pressed, now, { clientX, clientY, detail }, isSame) {
  if (!pressed || !detail || (now && isSame(pressed, now))) return now;
  return Math.hypot(clientX - pressed.x, clientY - pressed.y) <= STILL ? pressed : null;
}
