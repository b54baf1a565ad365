/** Keys of a terminal in raw mode, where nothing edits the line for us. */
const ENTER = new Set(['\r', '\n']);
const ERASE = new Set(['\u007f', '\b']);
const ERASE_LINE = '\u0015';
const END_OF_TRANSMISSION = '\u0004';
const INTERRUPT = '\u0003';

export type LineState = 'open' | 'entered' | 'interrupted';

/** One line that is typed without echo. Pure: the terminal feeds it. */
export class PassphraseLine {
  #characters: string[] = [];

  get text(): string {
    return this.#characters.join('');
  }

  /** Takes what was typed, in one piece or several; what comes after the end of the line is dropped. */
  type(typed: string): LineState {
    for (const character of typed) {
      if (ENTER.has(character) || character === END_OF_TRANSMISSION) return 'entered';
      if (character === INTERRUPT) return 'interrupted';
      if (ERASE.has(character)) this.#characters.pop();
      else if (character === ERASE_LINE) this.#characters = [];
      else this.#characters.push(character);
    }
    return 'open';
  }
}
