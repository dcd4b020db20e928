// The hits that are edited, in order of time.

export class Hits {
  constructor(rows, lanes) {
    this.lanes = lanes;
    this.laneOf = new Map(lanes.flatMap((lane, n) => lane.pitches.map((pitch) => [pitch, n])));
    this.next = 0;
    this.read(rows);
  }

  /** Begins anew, with rows of onset, pitch and velocity. */
  read(rows) {
    this.list = rows.map(([sec, pitch, velocity]) => this.make(sec, pitch, velocity));
  }

  make(sec, pitch, velocity) {
    return { id: this.next++, sec, pitch, velocity, lane: this.laneOf.get(pitch) };
  }

  rows() { return this.list.map(({ sec, pitch, velocity }) => [sec, pitch, velocity]); }

  byId(id) { return this.list.find((hit) => hit.id === id) ?? null; }

  copy() { return this.list.map((hit) => ({ ...hit })); }

  add(sec, lane, velocity) {
    const hit = this.make(sec, this.lanes[lane].pitch, velocity);
    this.list.push(hit);
    this.sort();
    return hit;
  }

  remove(id) { this.list = this.list.filter((hit) => hit.id !== id); }

  change(id, values) {
    const hit = this.byId(id);
    if (values.lane !== undefined && values.lane !== hit.lane) {
      hit.pitch = this.lanes[values.lane].pitch;
    }
    Object.assign(hit, values);
    this.sort();
  }

  sort() { this.list.sort((a, b) => a.sec - b.sec || a.pitch - b.pitch); }

  inLane(lane) { return this.list.filter((hit) => hit.lane === lane); }
}
