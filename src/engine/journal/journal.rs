//! The journal of a run: what is known already, and what is noted as it comes.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::OpenTicket;
use crate::answer::StageDigest;
use crate::engine::answers::Answers;
use crate::engine::answers::NotedAnswer;
use crate::engine::journal::content;
use crate::engine::journal::error::JournalError;
use crate::engine::journal::hold::Hold;
use crate::engine::journal::store::Opened;
use crate::engine::journal::store::Outlasts;
use crate::engine::journal::store::Store;
use crate::engine::journal::store::lock;
use crate::failure::Class;
use crate::failure::Failure;
use crate::name::Ticket;
use crate::name::VideoId;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::RwLockReadGuard;
use std::sync::RwLockWriteGuard;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// The name of the file.
const FILE: &str = "journal.sqlite";

/// An open journal. Notes are of the run that was [begun](Journal::begin), if one was.
pub struct Journal {
    pub(super) store: Store,
    pub(super) run: AtomicI64,
    // Answers of runs before this one are not looked up.
    pub(super) since: AtomicI64,
    videos: RwLock<Videos>,
    stages: Mutex<HashMap<StageDigest, i64>>,
    used: Mutex<HashSet<(i64, i64)>>,
    noted: AtomicU64,
    set_aside: Option<PathBuf>,
    // Held while the run goes on, so that others can tell that it does.
    pub(super) sign_of_life: Mutex<Option<Hold>>,
}

type Videos = BTreeMap<VideoId, KnownVideo>;

/// A video of this run, by the number that stands for it, and the digest of its content; or the
/// stamp of its file while that is not known.
#[derive(Clone, Debug)]
pub(super) struct KnownVideo {
    pub(super) number: i64,
    pub(super) name: Arc<str>,
}

impl Journal {
    /// Opens the journal in `folder`, or makes one. One that is damaged is set aside.
    ///
    /// # Errors
    ///
    /// Where a newer program wrote it, or it cannot be opened or made.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let Opened { store, set_aside } = Store::open(&Self::file_in(folder))?;
        Ok(Self::new(store, set_aside))
    }

    /// Opens the journal in `folder`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Where it is damaged, a newer program wrote it, or it cannot be opened.
    pub fn open_existing(folder: &Path) -> Result<Option<Self>, JournalError> {
        let store = Store::open_existing(&Self::file_in(folder))?;
        Ok(store.map(|store| Self::new(store, None)))
    }

    fn new(store: Store, set_aside: Option<PathBuf>) -> Self {
        Self {
            store,
            run: AtomicI64::new(0),
            since: AtomicI64::new(0),
            videos: RwLock::default(),
            stages: Mutex::default(),
            used: Mutex::default(),
            noted: AtomicU64::new(0),
            set_aside,
            sign_of_life: Mutex::default(),
        }
    }

    /// Where the file of the journal in `folder` is.
    pub fn file_in(folder: &Path) -> PathBuf {
        folder.join(FILE)
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// What the damaged file is called now that was here before; `None` where there was none.
    pub fn set_aside(&self) -> Option<&Path> {
        self.set_aside.as_deref()
    }

    /// Looks up only what this run notes from here on, and forgets the tickets of earlier runs for
    /// its videos.
    ///
    /// # Errors
    ///
    /// Where that cannot be kept.
    pub fn ask_anew(&self) -> Result<(), Failure> {
        let run = self.run.load(Ordering::Relaxed);
        self.since.store(run, Ordering::Relaxed);
        let videos = self.numbers_of_videos();
        let forgotten = self.store.write(Outlasts::Process, |change| {
            let mut delete = change.prepare("DELETE FROM tickets WHERE video = ?1 AND run < ?2")?;
            videos
                .iter()
                .try_for_each(|video| delete.execute([*video, run]).map(drop))
        });
        forgotten.map_err(|error| self.unwritten(&error))
    }

    pub(super) fn videos(&self) -> RwLockReadGuard<'_, Videos> {
        self.videos.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn videos_mut(&self) -> RwLockWriteGuard<'_, Videos> {
        self.videos.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn numbers_of_videos(&self) -> HashSet<i64> {
        let videos = self.videos();
        videos.values().map(|video| video.number).collect()
    }

    // `None` where nothing is known of it.
    pub(super) fn number_of(&self, stage: &StageDigest) -> rusqlite::Result<Option<i64>> {
        if let Some(number) = lock(&self.stages).get(stage) {
            return Ok(Some(*number));
        }
        let number = self
            .store
            .read(|connection| stage_number(connection, stage))?;
        if let Some(number) = number {
            lock(&self.stages).insert(*stage, number);
        }
        Ok(number)
    }

    fn find(&self, key: &ItemKey) -> rusqlite::Result<Option<Answer>> {
        let video = self.videos().get(&key.video).cloned();
        let Some((video, stage)) = video.zip(self.number_of(&key.stage)?) else {
            return Ok(None);
        };
        let [kind, first, second] = place(&key.extent);
        let about = about(&video.name, &key.stage, [kind, first, second]);
        let video = video.number;
        let since = self.since.load(Ordering::Relaxed);
        let answer = self.store.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT content FROM answers WHERE video = ?1 AND stage = ?2 AND kind = ?3
                    AND first = ?4 AND second = ?5 AND run >= ?6",
            )?;
            let mut rows = select.query([video, stage, kind, first, second, since])?;
            let Some(found) = rows.next()? else {
                return Ok(None);
            };
            let bytes = found.get_ref(0)?.as_blob()?;
            Ok(content::decode(&about, bytes))
        })?;
        if answer.is_some() {
            self.use_of(video, stage)?;
        }
        Ok(answer)
    }

    // Notes, once a run, that what a stage found in a video is still wanted.
    fn use_of(&self, video: i64, stage: i64) -> rusqlite::Result<()> {
        let is_run = self.run.load(Ordering::Relaxed) > 0;
        if !is_run || !lock(&self.used).insert((video, stage)) {
            return Ok(());
        }
        self.store
            .write(Outlasts::Process, |change| note_use(change, video, stage))
    }

    pub(super) fn unread(&self, error: &rusqlite::Error) -> Failure {
        let path = self.path().display();
        let message = format!("the journal {path} cannot be read: {error}");
        Failure::new(Class::Disk, message).help(
            "run the same command again, which sets a damaged journal aside; or --state-dir DIR \
             keeps it elsewhere",
        )
    }

    pub(super) fn unwritten(&self, error: &rusqlite::Error) -> Failure {
        let (path, noted) = (self.path().display(), self.noted.load(Ordering::Relaxed));
        let kept = match noted {
            1 => "1 answer of this run is".to_owned(),
            noted => format!("{noted} answers of this run are"),
        };
        let message = format!("the journal {path} cannot be written: {error}; {kept} kept in it");
        Failure::new(Class::Disk, message)
            .help("make room and run the same command again: what is kept is not asked again")
    }
}

impl Answers for Journal {
    fn look_up(&self, key: &ItemKey) -> Result<Option<Answer>, Failure> {
        self.find(key).map_err(|error| self.unread(&error))
    }

    // An answer that is there and cannot be read is none, so it is read to know.
    fn has(&self, key: &ItemKey) -> Result<bool, Failure> {
        self.look_up(key).map(|answer| answer.is_some())
    }

    fn note_ticket(&self, ticket: &OpenTicket) -> Result<(), Failure> {
        self.note_tickets(std::slice::from_ref(ticket))
    }

    // All in one commit: each would have to wait for the disk.
    fn note_tickets(&self, tickets: &[OpenTicket]) -> Result<(), Failure> {
        // Read until they are noted, so that no video is called otherwise before.
        let videos = self.videos();
        let mut rows = Vec::with_capacity(tickets.len());
        for ticket in tickets {
            let question = serde_json::to_string(&ticket.question)
                .map_err(|error| Failure::new(Class::Internal, error.to_string()))?;
            rows.push((ticket, known(&videos, ticket.video)?.number, question));
        }
        let run = self.run.load(Ordering::Relaxed);
        let noted = self.store.write(Outlasts::Power, |change| {
            rows.iter().try_for_each(|(ticket, video, question)| {
                insert_ticket(change, ticket, *video, question, run)
            })
        });
        noted.map_err(|error| self.unwritten(&error))
    }

    fn note_answers(&self, answers: &[NotedAnswer]) -> Result<(), Failure> {
        let videos = self.videos();
        let mut rows = Vec::with_capacity(answers.len());
        for noted in answers {
            rows.push((known(&videos, noted.key.video)?, noted));
        }
        let run = self.run.load(Ordering::Relaxed);
        let noted = self.store.write(Outlasts::Process, |change| {
            let mut used = HashSet::new();
            for (video, noted) in &rows {
                let stage = number_stage(change, &noted.key.stage)?;
                note_answer(change, video, stage, run, noted)?;
                let use_of = (video.number, stage);
                let is_told = lock(&self.used).contains(&use_of);
                if !is_told && used.insert(use_of) {
                    note_use(change, video.number, stage)?;
                }
            }
            let tickets: HashSet<&str> = answers
                .iter()
                .filter_map(|noted| noted.ticket.as_ref().map(Ticket::as_str))
                .collect();
            tickets
                .iter()
                .try_for_each(|ticket| delete_ticket(change, ticket))?;
            Ok(used)
        });
        let used = noted.map_err(|error| self.unwritten(&error))?;
        lock(&self.used).extend(used);
        self.noted
            .fetch_add(answers.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn drop_ticket(&self, ticket: &Ticket) -> Result<(), Failure> {
        let dropped = self.store.write(Outlasts::Process, |change| {
            delete_ticket(change, ticket.as_str())
        });
        dropped.map_err(|error| self.unwritten(&error))
    }

    fn extents(&self, video: VideoId, stage: StageDigest) -> Result<Vec<Extent>, Failure> {
        let extents = self.extents_of(video, &stage);
        extents.map_err(|error| self.unread(&error))
    }

    fn open_tickets(&self) -> Result<Vec<OpenTicket>, Failure> {
        let videos: Vec<(VideoId, i64)> = self
            .videos()
            .iter()
            .map(|(id, video)| (*id, video.number))
            .collect();
        let open = self.store.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT ticket, backend, address, question, stages.digest
                    FROM tickets JOIN stages ON stages.id = stage
                    WHERE video = ?1 ORDER BY tickets.id",
            )?;
            let (mut open, mut seen) = (Vec::new(), HashSet::new());
            for (id, number) in videos {
                // One content under two names is asked about once.
                if !seen.insert(number) {
                    continue;
                }
                let mut rows = select.query([number])?;
                while let Some(row) = rows.next()? {
                    open.extend(open_ticket(id, row)?);
                }
            }
            Ok(open)
        });
        open.map_err(|error| self.unread(&error))
    }

    fn original(&self, video: VideoId) -> VideoId {
        let videos = self.videos();
        let number = videos.get(&video).map(|it| it.number);
        let first = videos.iter().find(|(_, it)| Some(it.number) == number);
        first.map_or(video, |(id, _)| *id)
    }
}

fn known(videos: &Videos, video: VideoId) -> Result<&KnownVideo, Failure> {
    videos.get(&video).ok_or_else(|| {
        let message = format!("the journal was not told which file {video} is");
        Failure::new(Class::Internal, message)
    })
}

// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// What of a video, in numbers.
pub(super) fn place(extent: &Extent) -> [i64; 3] {
    match extent {
        Extent::Whole => [0, 0, 0],
        Extent::Frame { pts, crop } => [1, pts.0, crop.map_or(-1, i64::from)],
        Extent::Sound { start, end } => [2, start.cast_signed(), end.cast_signed()],
    }
}

/// What an answer is about, whatever the numbers of its video and stage.
pub(super) fn about(video: &str, stage: &StageDigest, place: [i64; 3]) -> Vec<u8> {
    let place = place.into_iter().flat_map(i64::to_le_bytes);
    let parts = stage.0.into_iter().chain(place);
    parts.chain(video.bytes()).collect()
}

fn stage_number(connection: &Connection, digest: &StageDigest) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached("SELECT id FROM stages WHERE digest = ?1")?;
    select.query_row([digest.0], |row| row.get(0)).optional()
}

fn number_stage(change: &Connection, digest: &StageDigest) -> rusqlite::Result<i64> {
    if let Some(number) = stage_number(change, digest)? {
        return Ok(number);
    }
    change.execute("INSERT INTO stages (digest) VALUES (?1)", [digest.0])?;
    Ok(change.last_insert_rowid())
}

fn number_origin(change: &Connection, text: &str) -> rusqlite::Result<i64> {
    let mut select = change.prepare_cached("SELECT id FROM origins WHERE text = ?1")?;
    let known = select.query_row([text], |row| row.get(0)).optional()?;
    if let Some(number) = known {
        return Ok(number);
    }
    change.execute("INSERT INTO origins (text) VALUES (?1)", [text])?;
    Ok(change.last_insert_rowid())
}

fn note_answer(
    change: &Connection,
    video: &KnownVideo,
    stage: i64,
    run: i64,
    noted: &NotedAnswer,
) -> rusqlite::Result<()> {
    let [kind, first, second] = place(&noted.key.extent);
    let about = about(&video.name, &noted.key.stage, [kind, first, second]);
    // What JSON cannot hold, such as a key that is no text, is not in any answer.
    let Some(content) = content::encode(&about, &noted.answer) else {
        return Ok(());
    };
    let origin = noted.origin.as_deref();
    let origin = origin.map(|text| number_origin(change, text)).transpose()?;
    let mut insert = change.prepare_cached(
        "INSERT OR REPLACE INTO answers
            (video, stage, kind, first, second, run, origin, content)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    insert.execute(params![
        video.number,
        stage,
        kind,
        first,
        second,
        run,
        origin,
        content
    ])?;
    Ok(())
}

fn note_use(change: &Connection, video: i64, stage: i64) -> rusqlite::Result<()> {
    let mut insert = change
        .prepare_cached("INSERT OR REPLACE INTO uses (video, stage, used) VALUES (?1, ?2, ?3)")?;
    insert.execute([video, stage, now()])?;
    Ok(())
}

fn insert_ticket(
    change: &Connection,
    ticket: &OpenTicket,
    video: i64,
    question: &str,
    run: i64,
) -> rusqlite::Result<()> {
    let stage = number_stage(change, &ticket.stage)?;
    let mut insert = change.prepare_cached(
        "INSERT OR REPLACE INTO tickets
            (ticket, address, backend, video, stage, question, run, noted)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    insert.execute(params![
        ticket.ticket.as_str(),
        ticket.address,
        ticket.backend.as_str(),
        video,
        stage,
        question,
        run,
        now(),
    ])?;
    Ok(())
}

fn delete_ticket(change: &Connection, ticket: &str) -> rusqlite::Result<()> {
    let mut delete = change.prepare_cached("DELETE FROM tickets WHERE ticket = ?1")?;
    delete.execute([ticket])?;
    Ok(())
}

// A question of a form that is not known is asked anew.
fn open_ticket(video: VideoId, row: &Row<'_>) -> rusqlite::Result<Option<OpenTicket>> {
    let text = |place| row.get::<_, String>(place);
    let Ok(question) = serde_json::from_str(&text(3)?) else {
        return Ok(None);
    };
    Ok(Some(OpenTicket {
        ticket: text(0)?.into(),
        backend: text(1)?.into(),
        address: text(2)?,
        stage: StageDigest(row.get(4)?),
        video,
        question,
    }))
}
