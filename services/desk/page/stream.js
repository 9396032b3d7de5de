// The event stream. The browser comes again by itself with the last number it has; where it gives up, we do.

const SILENCE_MS = 25000;
const AGAIN_MS = 2000;

export class Stream {
  constructor({ onStory, onGone, onReset, onState }) {
    this.handlers = { onStory, onGone, onReset, onState };
    this.source = null;
    this.last = 0;
    this.query = "";
  }

  open(query, after) {
    this.close();
    this.query = query;
    this.last = after;
    this.connect();
  }

  close() {
    this.source?.close();
    this.source = null;
    clearTimeout(this.silence);
    clearTimeout(this.again);
  }

  connect() {
    this.source?.close();
    const query = new URLSearchParams(this.query);
    query.set("after", this.last);
    const source = new EventSource(`api/stream?${query}`);
    this.source = source;
    const take = (handler) => (event) => {
      if (source !== this.source) return;
      this.alive();
      this.last = Number(event.lastEventId) || this.last;
      handler?.(event);
    };
    source.addEventListener("story", take((event) => this.handlers.onStory(JSON.parse(event.data))));
    source.addEventListener("gone", take((event) => this.handlers.onGone(JSON.parse(event.data).story_id)));
    source.addEventListener("reset", take(() => this.handlers.onReset()));
    source.addEventListener("beat", take());
    source.addEventListener("error", () => {
      if (source !== this.source) return;
      this.handlers.onState("lost");
      if (source.readyState === EventSource.CLOSED) this.later();
    });
    this.watch();
  }

  alive() {
    this.handlers.onState("live");
    this.watch();
  }

  // A connection may die without a word: the desk beats every ten seconds.
  watch() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.handlers.onState("lost");
      this.connect();
    }, SILENCE_MS);
  }

  later() {
    clearTimeout(this.again);
    this.again = setTimeout(() => this.connect(), AGAIN_MS);
  }
}
