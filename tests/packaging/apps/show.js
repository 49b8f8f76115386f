// A page's: it is told what to do by its address, and shows what came of it as its title.
import { talk } from "./talk.js";

export function show(connect) {
  const ask = Object.fromEntries(new URLSearchParams(location.search));
  talk(connect, ask).then(told, failed);
}

export function told(answer) {
  document.title = `answer: ${answer}`;
}

export function failed(error) {
  document.title = `error: ${error.code} ${error.message} ${error.hint}`;
}
