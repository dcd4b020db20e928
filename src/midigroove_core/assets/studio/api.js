// What the page asks the server for. Every answer that is an error becomes an Error with its words.

async function ask(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the studio does not answer; was it ended?");
  }
}

async function answered(response) {
  if (response.ok) return response;
  let said = `${response.status} ${response.statusText}`;
  try { said = (await response.json()).error ?? said; } catch { /* no JSON: keep the status */ }
  throw new Error(said);
}

export async function get(path) {
  return (await answered(await ask(path))).json();
}

export async function post(path, body) {
  return (await answered(await ask(path, { method: "POST", body }))).json();
}

/**
 * Renders; ends the work when `signal` aborts.
 * @param on { doing(line), heard(line) } what is done on the way, and which samples are there
 */
export async function render(song, request, on, signal) {
  const response = await answered(await ask(`/api/songs/${song}/render`,
    { method: "POST", body: JSON.stringify(request), signal }));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "", last = null;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
    const lines = text.split("\n");
    text = lines.pop();
    for (const line of lines) {
      last = JSON.parse(line);
      if (last.error) throw new Error(last.error);
      if (last.doing) on.doing(last);
      if (last.heard) await on.heard(last);
    }
  }
  if (!last?.take) throw new Error("the render was stopped");
  return last;
}

/** Channels of samples [first, last) of a slot's take. */
export async function samples(song, slot, first, last, channels) {
  const path = `/api/songs/${song}/${slot}/samples?first=${first}&last=${last}`;
  const data = new Float32Array(await (await answered(await ask(path))).arrayBuffer());
  const length = last - first;
  return Array.from({ length: channels }, (_, c) => data.subarray(c * length, (c + 1) * length));
}
