//! What somebody puts into the folder of compiled components, which is machine code that a host runs: a forged file in the place
//! of the one that the host has left there.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use callslip::plugin::Digest;
use callslip::{Config, Host};
use wasmtime::component::Component;

use super::standing::{evil, good};
use crate::bare::{self, Bare};
use crate::dangers::read;
use crate::ground::Ground;
use crate::suite::{Attack, Contained, timed};

const LINE: &str = "a forged compiled component";

/// The first bytes of a file of the cache: what it is, and what it is found by.
const HEAD: usize = b"callslip compiled component 1\n".len() + 32;
/// Its last ones, a digest of all the others.
const SEAL: usize = 32;

/// The files of a good component and of an evil one, as a host has left them.
struct Files {
    good: Vec<u8>,
    evil: Vec<u8>,
}

impl Files {
    /// The evil one's machine code.
    fn code(&self) -> &[u8] {
        &self.evil[HEAD..self.evil.len() - SEAL]
    }

    /// It in the place of the good one's, sealed by who knows how: nothing in the file tells that it is forged.
    fn forged(&self) -> Vec<u8> {
        let mut bytes = [&self.good[..HEAD], self.code()].concat();
        let digest = Digest::of(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        bytes
    }
}

/// What is put there, of the folder and the file in it.
type Deed = fn(&Files, &Path, &Path);

/// What the content tells.
const CONTENTS: &[(&str, Deed)] = &[
    ("machine code as it is", |files, _, file| fs::write(file, files.code()).unwrap()),
    ("another's file, renamed", |files, _, file| fs::write(file, &files.evil).unwrap()),
    ("another's code, its seal as it was", |files, _, file| {
        let seal = &files.good[files.good.len() - SEAL..];
        fs::write(file, [&files.good[..HEAD], files.code(), seal].concat()).unwrap();
    }),
];

/// What who may write there tells.
const PLACES: &[(&str, Deed)] = &[
    ("sealed, and others can write it", |files, _, file| {
        fs::write(file, files.forged()).unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o666)).unwrap();
    }),
    ("sealed, in a folder that others can write", |files, folder, file| {
        fs::write(file, files.forged()).unwrap();
        fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
    }),
    ("sealed, behind a link", |files, folder, file| {
        let elsewhere = folder.with_file_name("elsewhere");
        fs::rename(file, &elsewhere).unwrap();
        fs::write(&elsewhere, files.forged()).unwrap();
        symlink(&elsewhere, file).unwrap();
    }),
    ("sealed, in a folder behind a link", |files, folder, file| {
        fs::write(file, files.forged()).unwrap();
        let elsewhere = folder.with_file_name("elsewhere");
        fs::rename(folder, &elsewhere).unwrap();
        symlink(&elsewhere, folder).unwrap();
    }),
];

/// All of them.
pub fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let contents = CONTENTS
        .iter()
        .map(|(name, deed)| Attack::new(LINE, *name, forged(ground, *deed), async { runs_what_is_there() }));
    let places = PLACES
        .iter()
        .map(|(name, deed)| Attack::new(LINE, *name, forged(ground, *deed), runs_what_is_its_own(ground)));
    contents.chain(places).collect()
}

/// A host with the good plugin and a cache, and the files of both.
struct Place {
    ground: &'static Ground,
    folder: tempfile::TempDir,
    file: PathBuf,
    files: Files,
}

impl Place {
    async fn new(ground: &'static Ground) -> Self {
        let (folder, _, evil) = kept(ground, evil()).await;
        drop(folder);
        let (folder, file, good) = kept(ground, good()).await;
        Self { ground, folder, file, files: Files { good, evil } }
    }

    /// What a host says that starts now, and how long it takes until it does.
    async fn says(&self) -> (String, Duration) {
        timed(says(self.ground, self.folder.path())).await
    }
}

async fn says(ground: &Ground, folder: &Path) -> String {
    let config = "[cache]\nfolder = \"cache\"\n[plugins.attacker]\ncomponent = \"attacker.wasm\"";
    let config = Config::parse(config, folder).unwrap_or_else(|error| panic!("{error}"));
    let host = Host::start(&config, &ground.database().connection()).await;
    let host = host.unwrap_or_else(|error| panic!("{error}"));
    read(host.call("attacker", "q000")).await.unwrap_or_else(|refusal| panic!("{}", refusal.log))
}

/// A folder in which a host has left what it compiled of this component.
async fn kept(ground: &Ground, component: Vec<u8>) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("attacker.wasm"), component).unwrap();
    says(ground, folder.path()).await;
    let files = fs::read_dir(folder.path().join("cache")).unwrap();
    let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    let [file] = files.as_slice() else { panic!("not one file: {files:?}") };
    let bytes = fs::read(file).unwrap();
    (folder, file.clone(), bytes)
}

async fn forged(ground: &'static Ground, deed: Deed) -> Contained {
    let place = Place::new(ground).await;
    deed(&place.files, &place.folder.path().join("cache"), &place.file);
    let (answer, took) = place.says().await;
    assert_eq!(answer, "[{\"says\":\"good\"}]");
    Contained { by: "compiled anew".to_owned(), took }
}

/// The host itself runs a file that only its own user could have written: what is refused above is who else could have.
async fn runs_what_is_its_own(ground: &'static Ground) -> String {
    let place = Place::new(ground).await;
    fs::write(&place.file, place.files.forged()).unwrap();
    let (answer, _) = place.says().await;
    assert_eq!(answer, "[{\"says\":\"evil\"}]");
    "written by the host's user it is run".to_owned()
}

/// What a cache does that asks for no more than a file's name.
fn runs_what_is_there() -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(Digest::of(&good()).to_string());
    let engine = bare::engine();
    let code = engine.precompile_component(&evil()).unwrap_or_else(|error| panic!("{error:#}"));
    fs::write(&file, code).unwrap();
    // SAFETY: it was compiled here, by this engine, and nobody else can enter the folder.
    let component = unsafe { Component::deserialize_file(&engine, &file) };
    let manifest = Bare::of(component.unwrap_or_else(|error| panic!("{error:#}"))).manifest();
    format!("ran what was there, {} bytes came", manifest.unwrap().len())
}
