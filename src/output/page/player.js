// The player: the video where the browser plays it, else the pictures that were kept, by one clock.
// Times are seconds since the first frame of the video, which a player's clock may begin before.

class Player {
  // `onTime` is called whenever what is to be seen changes, `onState` when it plays or not.
  constructor({ onTime, onState }) {
    this.media = byId("video");
    this.picture = byId("picture");
    this.onTime = onTime;
    this.onState = onState;
    this.time = 0;
    this.shownPicture = null;
    this.address = null;
    this.listen();
  }

  listen() {
    const { media } = this;
    media.addEventListener("error", () => this.cannotPlay("The video is not where it was, or this browser cannot play it."));
    media.addEventListener("loadedmetadata", () => this.loaded());
    for (const event of ["play", "pause", "ended", "volumechange", "ratechange"]) {
      media.addEventListener(event, () => this.onState());
    }
    for (const event of ["seeked", "timeupdate"]) {
      media.addEventListener(event, () => this.follow(media.currentTime));
    }
    const canTellFrames = "requestVideoFrameCallback" in media;
    if (canTellFrames) this.followFrames();
    const hasFrames = () => canTellFrames && this.video.width > 0;
    media.addEventListener("play", () => hasFrames() || this.followClock());
  }

  // Each frame tells its own time as it comes to the screen.
  followFrames() {
    this.media.requestVideoFrameCallback((_, { mediaTime }) => {
      this.follow(mediaTime);
      this.followFrames();
    });
  }

  followClock() {
    this.follow(this.media.currentTime);
    if (!this.media.paused) requestAnimationFrame(() => this.followClock());
  }

  // A frame of before, while another is sought, tells nothing.
  follow(mediaTime) {
    if (!this.plays || this.media.seeking) return;
    const seconds = mediaTime - this.video.offset;
    // A frame that was sought begins before the moment that was asked for.
    const isShown = this.media.paused && Math.abs(seconds - this.time) < 1 / (this.video.fps ?? 20);
    if (!isShown) this.tell(seconds);
  }

  tell(seconds) {
    this.time = clamp(seconds, -this.video.offset, this.video.duration);
    this.onTime(this.time);
  }

  // Shows a video from its beginning.
  show(video, pictures) {
    this.stop();
    this.video = video;
    this.pictures = pictures;
    this.pictureTimes = pictures.map(({ time }) => time);
    this.time = 0;
    this.plays = false;
    byId("choose").hidden = video.isStill;
    if (video.isStill) this.cannotPlay("These are pictures, and nothing to play.");
    else if (video.address) this.load(new URL(video.address, document.baseURI).href);
    else this.cannotPlay(`There is no video to play: ${video.absence}.`);
  }

  // Shows a file that the user has chosen.
  open(file) {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(file);
    this.load(this.address);
  }

  load(address) {
    byId("notice").hidden = true;
    this.picture.hidden = true;
    this.media.hidden = false;
    this.plays = true;
    this.media.src = address;
    this.onState();
  }

  loaded() {
    // Sound that is played beside frames that are not.
    if (this.media.videoWidth === 0 && this.video.width > 0) {
      this.cannotPlay("This browser cannot show the frames of the video.");
      return;
    }
    if (this.time > 0) this.seek(this.time);
    else this.tell(this.time);
  }

  cannotPlay(why) {
    this.plays = false;
    this.media.hidden = true;
    if (this.media.hasAttribute("src")) {
      this.media.removeAttribute("src");
      this.media.load();
    }
    const kept = this.pictures.length;
    byId("notice-text").textContent =
      kept > 0
        ? `${why} Shown instead, at their times: ${counted(kept, "picture")}.`
        : `${why} No pictures were kept; vpipe report --frames 60 keeps some.`;
    // Where all pictures are there, nothing is missed.
    byId("notice").hidden = this.video.isStill && kept >= this.video.times.length;
    this.tell(this.time);
    this.onState();
  }

  get isPlaying() {
    return this.plays ? !this.media.paused && !this.media.ended : this.beat !== undefined;
  }

  toggle() {
    if (this.isPlaying) this.stop();
    else if (this.plays) this.media.play().catch(() => this.onState());
    else this.playPictures();
  }

  stop() {
    this.media.pause();
    cancelAnimationFrame(this.beat);
    this.beat = undefined;
    this.onState();
  }

  // A clock of its own, where there is no video to go by.
  playPictures() {
    if (this.time >= this.video.duration - 0.01) this.time = 0;
    let before = performance.now();
    const beat = (now) => {
      this.tell(this.time + ((now - before) / 1000) * this.media.playbackRate);
      before = now;
      if (this.time >= this.video.duration) this.stop();
      else this.beat = requestAnimationFrame(beat);
    };
    this.beat = requestAnimationFrame(beat);
    this.onState();
  }

  seek(seconds) {
    const time = clamp(seconds, 0, this.video.duration);
    if (this.plays) {
      // A little into the frame: what is rounded down would show the one before.
      const inside = this.video.fps ? Math.min(0.25 / this.video.fps, 0.01) : 0.001;
      this.media.currentTime = time + this.video.offset + inside;
    }
    this.tell(time);
  }

  // To the sampled frame so many after this one.
  step(frames) {
    const { times } = this.video;
    if (times.length === 0) return;
    this.stop();
    const frame = lastAtMost(times, this.time + SLACK) + frames;
    this.seek(times[clamp(frame, 0, times.length - 1)]);
  }

  // Puts the picture of the sampled frame on the stage, else the nearest one, pale; says how many
  // seconds away it is.
  showPicture() {
    const kept = this.pictures;
    if (this.plays || kept.length === 0) {
      this.picture.hidden = true;
      return this.plays ? 0 : Infinity;
    }
    const after = lastAtMost(this.pictureTimes, this.time + SLACK) + 1;
    const near = [kept[after - 1], kept[after]].filter(Boolean);
    const away = ({ time }) => Math.abs(time - this.time);
    const isOfFrame = ({ time }) => this.video.frameAt(time) === this.video.frameAt(this.time);
    const nearest = near.reduce((one, other) => (away(other) < away(one) ? other : one));
    const chosen = near.find(isOfFrame) ?? nearest;
    if (chosen !== this.shownPicture) {
      this.shownPicture = chosen;
      this.picture.src = `data:image/jpeg;base64,${chosen.jpeg}`;
    }
    this.picture.hidden = false;
    this.picture.classList.toggle("far", !isOfFrame(chosen));
    return isOfFrame(chosen) ? 0 : away(chosen);
  }
}
