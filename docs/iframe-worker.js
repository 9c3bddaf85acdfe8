// A page opened as a file may start no worker, and the search is one: it then runs in a hidden frame.
if (location.protocol === "file:")
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      this.started = new Promise(resolve => {
        const start = () => {
          const { contentWindow: inside, contentDocument: page } = (document.body.appendChild(frame), frame)
          inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
          inside.importScripts = async (...urls) => { for (const each of urls) await load(page, each) }
          load(page, url).then(() => resolve(inside))
        }
        document.body ? start() : addEventListener("DOMContentLoaded", start)
      })
    }
    postMessage(data) {
      this.started.then(inside => inside.dispatchEvent(new MessageEvent("message", { data })))
    }
    set onmessage(listener) { this.addEventListener("message", listener) }
  }

function load(page, src) {
  return new Promise(resolve => page.body.append(Object.assign(page.createElement("script"), { src, onload: resolve })))
}
