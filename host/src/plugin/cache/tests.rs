use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use nix::sys::stat::Mode;

use super::*;
use crate::Code;
use crate::plugin::guest::{Guest, answer};
use crate::plugin::{CallError, Component, Engine, Limits, LoadOptions, Profile};

const LARGE: u64 = 1 << 30;

/// A folder that is not there yet.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("compiled")
    }

    fn engine(&self) -> Engine {
        self.engine_with(&Limits::default(), LARGE)
    }

    fn engine_with(&self, limits: &Limits, most_bytes: u64) -> Engine {
        Engine::with_cache(limits, Some(Cache::new(self.path(), most_bytes))).unwrap()
    }

    /// The files in it, with what they hold.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.path()).into_iter().flatten();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    fn only(&self) -> (PathBuf, Vec<u8>) {
        let mut files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }
}

/// A plugin that refuses whatever it is asked with these words.
fn guest(words: &str) -> Vec<u8> {
    let stores = "not-found".bytes().enumerate().map(|(at, byte)| (100 + at, byte));
    let stores = stores.chain(words.bytes().enumerate().map(|(at, byte)| (200 + at, byte)));
    let stores: String =
        stores.map(|(at, byte)| format!("(i32.store8 (i32.const {at}) (i32.const {byte}))")).collect();
    let plan = format!("{stores} {}", answer(&[1, 100, 9, 200, words.len(), 0, 0, 0]));
    Guest { plan, ..Guest::default() }.component()
}

async fn load(engine: &Engine, bytes: &[u8]) -> Component {
    Component::load(engine, bytes.to_vec(), LoadOptions::default()).await.unwrap()
}

/// What a plugin says.
async fn says(engine: &Engine, bytes: &[u8]) -> Result<String, CallError> {
    let planned = load(engine, bytes).await.plan("q", &[], &[]).await?;
    Ok(planned.unwrap_err().message)
}

#[tokio::test]
async fn what_was_compiled_is_found_again_and_nobody_else_can_use_it() {
    let folder = Folder::new();
    assert_eq!(says(&folder.engine(), &guest("one")).await.unwrap(), "one");
    let (file, written) = folder.only();
    assert_eq!(fs::metadata(folder.path()).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let inode = fs::metadata(&file).unwrap().ino();
    assert_eq!(says(&folder.engine(), &guest("one")).await.unwrap(), "one");
    assert_eq!(folder.only(), (file.clone(), written));
    assert_eq!(fs::metadata(&file).unwrap().ino(), inode, "it was not written again");
}

/// Has the cache read a file whose component says something else than what it is read for: only a file that is taken says so.
async fn is_taken(folder: &Folder, file: &Path) -> bool {
    // Sealed as if it were the other's: nothing but who can write it tells that it is not.
    let engine = folder.engine();
    let wasmtime = engine.runtime(Profile::Compact).unwrap();
    let honest = guest("honest");
    let forged = load(&Engine::new(&Limits::default()).unwrap(), &guest("forged")).await;
    let forged = forged.linked().instance_pre().component().serialize().unwrap();
    fs::write(file, sealed(Key::new(Digest::of(&honest), wasmtime.wasmtime()), &forged)).unwrap();
    match says(&engine, &honest).await.unwrap().as_str() {
        "forged" => true,
        "honest" => false,
        other => panic!("{other}"),
    }
}

/// A folder with the file of the component that is called honest.
async fn honest() -> (Folder, PathBuf) {
    let folder = Folder::new();
    says(&folder.engine(), &guest("honest")).await.unwrap();
    let (file, _) = folder.only();
    (folder, file)
}

#[tokio::test]
async fn the_attack_works_on_a_file_that_is_the_user_s_own() {
    let (folder, file) = honest().await;
    assert!(is_taken(&folder, &file).await, "else the tests of what is not taken prove nothing");
}

#[tokio::test]
async fn a_folder_that_others_can_use_is_not_used() {
    for mode in [0o701, 0o710, 0o720, 0o755, 0o770, 0o777, 0o1777] {
        let (folder, file) = honest().await;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        assert!(!is_taken(&folder, &file).await, "{mode:o}");
        says(&folder.engine(), &guest("new")).await.unwrap();
        folder.only();
    }
}

#[tokio::test]
async fn a_folder_that_is_a_link_is_not_used() {
    let (folder, file) = honest().await;
    let elsewhere = folder.0.path().join("elsewhere");
    fs::rename(folder.path(), &elsewhere).unwrap();
    symlink(&elsewhere, folder.path()).unwrap();
    assert!(!is_taken(&folder, &file).await);
    fs::remove_file(folder.path()).unwrap();
    fs::write(folder.path(), "no folder").unwrap();
    assert_eq!(says(&folder.engine(), &guest("honest")).await.unwrap(), "honest");
}

#[tokio::test]
async fn a_file_that_others_can_use_is_not_used_and_written_anew() {
    for mode in [0o604, 0o640, 0o620, 0o602, 0o666] {
        let (folder, file) = honest().await;
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        assert!(!is_taken(&folder, &file).await, "{mode:o}");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_link_in_place_of_a_file_is_not_followed() {
    let (folder, file) = honest().await;
    let elsewhere = folder.0.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    assert!(!is_taken(&folder, &elsewhere).await);
    assert!(fs::symlink_metadata(&file).unwrap().is_file(), "it is a file again");
    // Nor is what is no file waited for.
    fs::remove_file(&file).unwrap();
    nix::unistd::mkfifo(&file, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    assert_eq!(says(&folder.engine(), &guest("honest")).await.unwrap(), "honest");
}

#[tokio::test]
async fn what_belongs_to_another_user_is_not_used() {
    if !nix::unistd::geteuid().is_root() {
        println!("left out: only root can give a file away");
        return;
    }
    let (folder, file) = honest().await;
    std::os::unix::fs::chown(&file, Some(12_345), None).unwrap();
    assert!(!is_taken(&folder, &file).await);
    std::os::unix::fs::chown(folder.path(), Some(12_345), None).unwrap();
    assert!(!is_taken(&folder, &file).await);
}

#[tokio::test]
async fn the_file_of_one_component_is_not_taken_for_another_s() {
    let folder = Folder::new();
    says(&folder.engine(), &guest("one")).await.unwrap();
    let (one, of_one) = folder.only();
    says(&folder.engine(), &guest("two")).await.unwrap();
    let two = folder.files().into_iter().find(|(path, _)| *path != one).unwrap().0;
    fs::write(&two, &of_one).unwrap();
    assert_eq!(says(&folder.engine(), &guest("two")).await.unwrap(), "two");
    assert_ne!(fs::read(&two).unwrap(), of_one, "it is written anew");
}

#[tokio::test]
async fn what_is_damaged_is_compiled_again() {
    let folder = Folder::new();
    says(&folder.engine(), &guest("one")).await.unwrap();
    let (file, whole) = folder.only();
    let engine = folder.engine();
    for length in [0, 1, MAGIC.len(), MAGIC.len() + 40, whole.len() / 2, whole.len() - 33, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        assert_eq!(says(&engine, &guest("one")).await.unwrap(), "one");
        assert_eq!(fs::read(&file).unwrap().len(), whole.len());
    }
    for at in (0..whole.len()).step_by(whole.len() / 16) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&file, &damaged).unwrap();
        assert_eq!(says(&engine, &guest("one")).await.unwrap(), "one");
        assert_ne!(fs::read(&file).unwrap(), damaged);
    }
}

#[tokio::test]
async fn every_engine_has_files_of_its_own() {
    let folder = Folder::new();
    // The profiles run in engines of other settings.
    let says = async |profile| {
        let options = LoadOptions { profile, ..LoadOptions::default() };
        let component = Component::load(&folder.engine(), guest("one"), options).await.unwrap();
        component.plan("q", &[], &[]).await.unwrap().unwrap_err().message
    };
    for profile in Profile::ALL {
        assert_eq!(says(*profile).await, "one");
    }
    let [(one, of_one), (two, _)] = &folder.files()[..] else { panic!("two files") };
    // Even when one lies in the other's place.
    fs::write(two, of_one).unwrap();
    fs::write(one, of_one).unwrap();
    for profile in Profile::ALL {
        assert_eq!(says(*profile).await, "one");
    }
}

#[tokio::test]
async fn what_is_kept_is_scanned_all_the_same() {
    let folder = Folder::new();
    says(&folder.engine(), &guest("one")).await.unwrap();
    let mut tighter = Limits::default();
    tighter.compact.functions = 1;
    let engine = folder.engine_with(&tighter, LARGE);
    let error = Component::load(&engine, guest("one"), LoadOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::ComponentTooLarge);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_write_at_once_leave_whole_files() {
    let folder = Folder::new();
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let engine = folder.engine();
            tokio::spawn(async move {
                for words in ["one", "two", "three"] {
                    assert_eq!(says(&engine, &guest(words)).await.unwrap(), words);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let files = folder.files();
    assert_eq!(files.len(), 3, "{files:?}");
    let sealed_right = |bytes: &[u8]| Sha256::digest(&bytes[..bytes.len() - DIGEST_BYTES]).to_vec();
    assert!(files.iter().all(|(_, bytes)| bytes.ends_with(&sealed_right(bytes))));
}

#[tokio::test]
async fn the_oldest_go_when_there_is_no_room() {
    let folder = Folder::new();
    says(&folder.engine(), &guest("one")).await.unwrap();
    let (one, of_one) = folder.only();
    File::options().write(true).open(&one).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let stranger = folder.path().join("a file of somebody's");
    fs::write(&stranger, "kept").unwrap();
    let abandoned = folder.path().join(format!("1-2-3{UNFINISHED}"));
    fs::write(&abandoned, "half").unwrap();
    File::options().write(true).open(&abandoned).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let room = of_one.len() as u64 * 3 / 2;
    says(&folder.engine_with(&Limits::default(), room), &guest("two")).await.unwrap();
    assert!(!one.exists() && !abandoned.exists() && stranger.exists());
    assert_eq!(folder.files().len(), 2);
    // What has no room at all is not kept, and takes nothing with it.
    says(&folder.engine_with(&Limits::default(), 10), &guest("three")).await.unwrap();
    assert_eq!(folder.files().len(), 2);
}

#[tokio::test]
async fn a_folder_that_can_t_be_made_is_done_without() {
    let folder = Folder::new();
    let cache = Cache::new(folder.path().join("below"), LARGE);
    let engine = Engine::with_cache(&Limits::default(), Some(cache)).unwrap();
    assert_eq!(says(&engine, &guest("one")).await.unwrap(), "one");
}
