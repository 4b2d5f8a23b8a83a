// navigator.serial with one port, whose other end is a board of the test: window.board(what, value)
// carries out "write" (base64), "lines" ([dtr, rts]), "open" (baud), "close" and "listen", and
// returns in base64 what the board has said since it was asked last.

(() => {
  class Port extends EventTarget {
    #open = false;
    #lines = { dataTerminalReady: false, requestToSend: false };
    #readable = null;
    #writable = null;
    #heard = null; // the readable's controller

    async #board(what, value) {
      const said = atob(await window.board(what, value));
      if (said && this.readable) this.#heard.enqueue(Uint8Array.from(said, (c) => c.charCodeAt(0)));
    }
    async listen() {
      if (this.#open) await this.#board("listen", null);
    }
    get readable() {
      if (this.#open && !this.#readable) {
        const cancel = () => (this.#readable = null);
        this.#readable = new ReadableStream({ start: (heard) => (this.#heard = heard), cancel });
      }
      return this.#readable;
    }
    get writable() {
      if (this.#open && !this.#writable) {
        const write = (chunk) => this.#board("write", btoa(String.fromCharCode(...chunk)));
        this.#writable = new WritableStream({ write });
      }
      return this.#writable;
    }
    getInfo() {
      return { usbVendorId: 0x10c4, usbProductId: 0xea60 };
    }
    async open({ baudRate }) {
      if (this.#open) throw new DOMException("The port is already open.", "InvalidStateError");
      this.#open = true;
      await this.#board("open", baudRate);
    }
    async close() {
      if (this.#readable?.locked || this.#writable?.locked) throw new TypeError("locked");
      this.#open = false;
      this.#readable = this.#writable = null;
      await this.#board("close", null);
    }
    async setSignals(signals) {
      Object.assign(this.#lines, signals);
      await this.#board("lines", [this.#lines.dataTerminalReady, this.#lines.requestToSend]);
    }
  }
  const port = new Port();
  setInterval(() => port.listen(), 50);
  const serial = { requestPort: async () => port, getPorts: async () => [port] };
  Object.defineProperty(navigator, "serial", { value: serial, configurable: true });
})();
