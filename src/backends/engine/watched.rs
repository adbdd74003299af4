//! Networks under watch: each is loaded and run on a thread of its own, within a time and a memory.
//!
//! A thread cannot be ended from outside. One that does not come back, or asks for more memory than
//! it may, is left behind: what it was asked is an error, and it ends with the program.

use crate::backends::engine::header::Header;
use crate::backends::engine::heap;
use crate::backends::engine::heap::Account;
use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::Input;
use crate::backends::engine::network::Network;
use crate::backends::engine::network::Onnx;
use crate::backends::engine::network::Tensor;
use crate::backends::engine::network::guarded;
use crate::duration::spelled;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// The longest that a model may take to be loaded, or for one frame, window or token. The largest
/// Whisper takes about three minutes for a window on a small computer.
const LONGEST: Duration = Duration::from_secs(600);

/// How often a thread that has not answered yet is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What every model may take: the attention of the largest Whisper's window is half of it.
const BASE: u64 = 192 << 20;
/// Bytes that may be taken for each byte of the model's files: they are unpacked, and the larger a
/// model is, the more it computes at once.
const PER_WEIGHT: u64 = 6;
/// Bytes that may be taken for each byte of input: a detector holds up to 50 times its frame.
const PER_INPUT: u64 = 64;
/// What may be taken for all of it: as a detector does whose frames have 4,000 pixels a side.
const MOST_FOR_INPUT: u64 = 12 << 30;

/// Engines go through a graph of many operators by recursion.
const STACK: usize = 64 << 20;

/// Loads a network with `load` and watches it, its sessions and what they run.
pub(in crate::backends) fn load(
    header: &Header,
    onnx: Onnx,
    load: impl FnOnce(&Header, Onnx, &'static Account) -> Result<Box<dyn Network>, EngineError>
    + Send
    + 'static,
) -> Result<WatchedNetwork, EngineError> {
    let weights = onnx.len();
    let header = header.clone();
    let account = open_account(BASE + PER_WEIGHT * weights);
    let (sender, receiver) = sync_channel(1);
    spawn("model", move || {
        heap::charge(account);
        // Nobody waits any more where it took too long.
        sender.send(guarded(|| load(&header, onnx, account))).ok();
    })?;
    let network = answer(&receiver, account, LONGEST, "to be loaded")??;
    Ok(WatchedNetwork {
        inner: network.into(),
        weights,
        longest: LONGEST,
    })
}

/// A loaded model, from which sessions are made.
pub(in crate::backends) struct WatchedNetwork {
    inner: Arc<dyn Network>,
    weights: u64,
    longest: Duration,
}

/// What a session is asked: inputs by name, and the names of outputs.
type Question = (Vec<(String, Input)>, Vec<String>);

/// One thread's access to a network, which runs on another.
pub(in crate::backends) struct WatchedSession {
    is_lost: bool,
    questions: SyncSender<Question>,
    answers: Receiver<Result<Vec<Tensor>, EngineError>>,
    account: &'static Account,
    weights: u64,
    longest: Duration,
}

impl WatchedNetwork {
    /// A session with threads of its own.
    pub(in crate::backends) fn session(&self) -> Result<WatchedSession, EngineError> {
        let account = open_account(BASE + PER_WEIGHT * self.weights);
        let (questions, asked) = sync_channel::<Question>(1);
        let (sender, answers) = sync_channel(1);
        let (made, is_made) = sync_channel(1);
        let inner = Arc::clone(&self.inner);
        spawn("inference", move || {
            heap::charge(account);
            let session = guarded(|| inner.session(account));
            let mut session = match session {
                Ok(session) => session,
                Err(error) => return made.send(Err(error)).unwrap_or_default(),
            };
            made.send(Ok(())).ok();
            while let Ok((inputs, outputs)) = asked.recv() {
                let answer = guarded(|| session.run(inputs, outputs));
                if sender.send(answer).is_err() {
                    return;
                }
            }
        })?;
        answer(&is_made, account, self.longest, "to be loaded")??;
        Ok(WatchedSession {
            is_lost: false,
            questions,
            answers,
            account,
            weights: self.weights,
            longest: self.longest,
        })
    }
}

impl WatchedSession {
    /// Runs the network on inputs by name, and gives the outputs of these names, which must be
    /// numbers.
    pub(in crate::backends) fn run(
        &mut self,
        inputs: Vec<(String, Input)>,
        outputs: Vec<String>,
    ) -> Result<Vec<Tensor>, EngineError> {
        let given: usize = inputs.iter().map(|(_, input)| input.len()).sum();
        let for_input = MOST_FOR_INPUT.min(PER_INPUT * given as u64);
        let allowed = BASE + PER_WEIGHT * self.weights + for_input;
        self.account.allow(allowed);
        let asked = self.questions.send((inputs, outputs));
        let answered = asked
            .map_err(|_closed| EngineError::new("its thread is gone"))
            .and_then(|()| answer(&self.answers, self.account, self.longest, "for one input"));
        self.is_lost |= answered.is_err();
        answered?
    }

    /// Whether its thread was left behind or has ended: it answers nothing any more.
    pub(in crate::backends) fn is_lost(&self) -> bool {
        self.is_lost
    }
}

/// How many inputs of so many bytes may be computed at once: what they take has a bound together.
pub(in crate::backends) fn most_inputs(bytes: usize) -> usize {
    let most = MOST_FOR_INPUT / (PER_INPUT * bytes.max(1) as u64);
    usize::try_from(most).unwrap_or(usize::MAX).max(1)
}

// It lasts as long as the threads that are charged to it, and nobody can tell their end.
fn open_account(most: u64) -> &'static Account {
    let account: &'static Account = Box::leak(Box::default());
    account.allow(most);
    account
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread
        .stack_size(STACK)
        .spawn(work)
        .map(|_| ())
        .map_err(EngineError::new)
}

// What a thread answers, or why nobody waits for it any more.
fn answer<T>(
    receiver: &Receiver<T>,
    account: &Account,
    longest: Duration,
    during: &str,
) -> Result<T, EngineError> {
    let begun = Instant::now();
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(EngineError::new("its thread is gone"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(refused) = account.refused() {
            let most = account.most();
            return Err(EngineError(format!(
                "it asks for {} MB of memory {during}, and a model of its size may have {}",
                refused.div_ceil(1 << 20),
                most >> 20
            )));
        }
        if begun.elapsed() > longest {
            return Err(EngineError(format!(
                "it takes longer than {} {during}",
                spelled(longest)
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::WatchedNetwork;
    use crate::backends::engine::heap::Account;
    use crate::backends::engine::network::EngineError;
    use crate::backends::engine::network::Input;
    use crate::backends::engine::network::Network;
    use crate::backends::engine::network::Session;
    use crate::backends::engine::network::Tensor;
    use std::hint::black_box;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    /// Does what the name of the output says.
    struct Odd;

    impl Network for Odd {
        fn session(&self, _: &'static Account) -> Result<Box<dyn Session>, EngineError> {
            Ok(Box::new(Self))
        }
    }

    impl Session for Odd {
        fn run(
            &mut self,
            inputs: Vec<(String, Input)>,
            outputs: Vec<String>,
        ) -> Result<Vec<Tensor>, EngineError> {
            match outputs[0].as_str() {
                "never" => loop {
                    thread::park();
                },
                "50 GB" => drop(black_box(vec![0_u8; 50 << 30])),
                "panic" => panic!("{}", inputs.len()),
                _ => {}
            }
            Ok(Vec::new())
        }
    }

    fn asked(longest: Duration, outputs: &[&str]) -> (Vec<String>, bool) {
        let network = WatchedNetwork {
            inner: Arc::new(Odd),
            weights: 1 << 20,
            longest,
        };
        let mut session = network.session().unwrap();
        let mut run = |output: &&str| {
            let tensor = Tensor {
                shape: vec![1 << 20],
                data: vec![0.0; 1 << 20],
            };
            let inputs = vec![("in".to_owned(), Input::Floats(Arc::new(tensor)))];
            let ran = session.run(inputs, vec![(*output).to_owned()]);
            ran.map_or_else(|error| error.to_string(), |_| "done".to_owned())
        };
        let said = outputs.iter().map(&mut run).collect();
        (said, session.is_lost())
    }

    #[test]
    fn what_does_not_come_back_is_an_error() {
        let minute = Duration::from_secs(60);
        assert_eq!(
            asked(minute, &["", "panic", ""]),
            (
                ["done", "the engine gave up: 1", "done"]
                    .map(str::to_owned)
                    .into(),
                false
            )
        );
        // 192 MB, 6 for the weights and 64 times 4 MB of input.
        let told = "it asks for 51200 MB of memory for one input, and a model of its size may have \
                    454";
        let (said, is_lost) = asked(minute, &["50 GB"]);
        let [asked_for] = <[String; 1]>::try_from(said).unwrap();
        assert!(is_lost);
        assert_eq!(asked_for.replace("51201", "51200"), told);
        assert_eq!(
            asked(Duration::from_secs(1), &["never"]),
            (
                vec!["it takes longer than 1 s for one input".to_owned()],
                true
            )
        );
    }
}
