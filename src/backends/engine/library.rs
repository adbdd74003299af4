//! The library of ONNX Runtime: where it is looked for, and which version it is.
//!
//! A library is code that will run, so it is taken from places alone that the user or the system has
//! set up: never from the working directory, from beside a recipe, or by what `.env` says. Files
//! are looked at by name, and no program is asked.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// The variable that names the library.
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// The folders of environments of Python that are active, in variables.
const ENVIRONMENTS: [&str; 2] = ["VIRTUAL_ENV", "CONDA_PREFIX"];

/// Where systems keep libraries that somebody has installed. Windows has an old one of its own, which
/// is not meant.
const SYSTEM: &[&str] = if cfg!(windows) {
    &[]
} else if cfg!(target_os = "macos") {
    &["/opt/homebrew/lib", "/usr/local/lib"]
} else if cfg!(target_arch = "aarch64") {
    &[
        "/usr/local/lib",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
    ]
} else {
    &[
        "/usr/local/lib",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
    ]
};

/// What to do where there is no library, or none that can be opened.
pub const ADVICE: &str = "set ORT_DYLIB_PATH to one of 1.22 or newer, or `pip install onnxruntime` into \
                          the active environment of Python";

/// A library of ONNX Runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnnxRuntime {
    /// Its file.
    pub path: PathBuf,
    /// Its version, such as `1.24.1`, where its name or its package says it.
    pub version: Option<String>,
}

impl fmt::Display for OnnxRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ONNX Runtime")?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        write!(f, " in {}", self.path.display())
    }
}

impl OnnxRuntime {
    /// The library of this process's environment, if there is one; it may still be none that can be
    /// opened.
    pub(super) fn find() -> Option<Self> {
        let program = env::current_exe().ok();
        let search = Search {
            variable: &|name| env::var_os(name),
            program: program.as_deref().and_then(Path::parent),
            system: SYSTEM,
        };
        let path = search.find()?;
        let version = version(&path);
        Some(Self { path, version })
    }
}

/// The version that the name of a library says, or that of the package that it is from.
fn version(library: &Path) -> Option<String> {
    let name = library.file_name()?.to_str()?;
    let named = name.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let named = named.trim_end_matches(".dylib");
    if !named.is_empty() {
        return Some(named.to_owned());
    }
    let packages = library.parent()?.parent()?.parent()?;
    entries(packages, "onnxruntime").into_iter().find_map(|it| {
        let name = it.file_name()?.to_str()?;
        let (_, version) = name.strip_suffix(".dist-info")?.rsplit_once('-')?;
        Some(version.to_owned())
    })
}

/// What is looked at.
struct Search<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The folder of the program.
    program: Option<&'a Path>,
    system: &'a [&'a str],
}

impl Search<'_> {
    fn find(&self) -> Option<PathBuf> {
        if let Some(named) = self.named(VARIABLE) {
            return std::path::absolute(named).ok();
        }
        let beside = self.program.and_then(in_folder);
        beside
            .or_else(|| self.environments().iter().find_map(|it| in_python(it)))
            .or_else(|| {
                let mut folders = self.system.iter().map(Path::new);
                folders.find_map(in_folder)
            })
    }

    fn named(&self, variable: &str) -> Option<OsString> {
        (self.variable)(variable).filter(|value| !value.is_empty())
    }

    /// The environments of Python that are active: those that variables name, and the one of the
    /// first `python` on the path.
    fn environments(&self) -> Vec<PathBuf> {
        let named = ENVIRONMENTS.iter().filter_map(|name| self.named(name));
        let path = self.named("PATH").unwrap_or_default();
        let on_path = env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .find_map(|folder| environment_of(&folder));
        let named = named.map(PathBuf::from);
        named
            .filter(|folder| folder.is_absolute())
            .chain(on_path)
            .collect()
    }
}

/// The environment that `python` of a folder belongs to, as Python finds it: that of the program as it
/// is called where `pyvenv.cfg` says so, else that of the file it leads to.
fn environment_of(folder: &Path) -> Option<PathBuf> {
    let names = match cfg!(windows) {
        true => ["python.exe", "python3.exe"],
        false => ["python", "python3"],
    };
    let program = names.map(|name| folder.join(name));
    let program = program.into_iter().find(|program| program.is_file())?;
    let around = |folder: &Path| match folder.file_name() {
        Some(name) if name == "bin" || name == "Scripts" => folder.parent().map(Path::to_owned),
        _ => Some(folder.to_owned()),
    };
    let called = around(folder)?;
    if called.join("pyvenv.cfg").is_file() {
        return Some(called);
    }
    around(fs::canonicalize(program).ok()?.parent()?)
}

/// The library that the package `onnxruntime` of an environment brings.
fn in_python(environment: &Path) -> Option<PathBuf> {
    let capi = Path::new("onnxruntime").join("capi");
    let mut packages = match cfg!(windows) {
        true => vec![environment.join("Lib").join("site-packages")],
        false => {
            let versions = entries(&environment.join("lib"), "python3");
            let kinds = ["site-packages", "dist-packages"];
            let of_version = |version: PathBuf| kinds.map(|kind| version.join(kind));
            versions.into_iter().flat_map(of_version).collect()
        }
    };
    packages.retain(|folder| folder.is_dir());
    let mut folders = packages.iter().map(|folder| folder.join(&capi));
    folders.find_map(|folder| in_folder(&folder))
}

/// The library in a folder: by its plain name, else the newest that has its version in its name.
fn in_folder(folder: &Path) -> Option<PathBuf> {
    let (plain, begin, end) = if cfg!(windows) {
        ("onnxruntime.dll", "onnxruntime.dll", "")
    } else if cfg!(target_os = "macos") {
        ("libonnxruntime.dylib", "libonnxruntime.", ".dylib")
    } else {
        ("libonnxruntime.so", "libonnxruntime.so.", "")
    };
    let mut found = entries(folder, begin);
    found.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(end) && file.is_file()
    });
    let plain = folder.join(plain);
    match plain.is_file() {
        true => Some(plain),
        false => found.into_iter().next(),
    }
}

/// What of a folder begins with `begin`, the highest version first.
fn entries(folder: &Path, begin: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(begin)).collect();
    let version = |name: &String| {
        let numbers = name.split(|letter: char| !letter.is_ascii_digit());
        let numbers = numbers.filter_map(|number| number.parse().ok());
        numbers.collect::<Vec<u64>>()
    };
    names.sort_by_key(|name| std::cmp::Reverse((version(name), name.clone())));
    names.iter().map(|name| folder.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::Search;
    use super::version;
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    const LIBRARY: &str = if cfg!(windows) {
        "onnxruntime.dll"
    } else if cfg!(target_os = "macos") {
        "libonnxruntime.1.24.1.dylib"
    } else {
        "libonnxruntime.so.1.24.1"
    };

    const PACKAGES: &str = if cfg!(windows) {
        "Lib/site-packages"
    } else {
        "lib/python3.12/site-packages"
    };

    const PROGRAMS: &str = if cfg!(windows) { "Scripts" } else { "bin" };

    const PYTHON: &str = if cfg!(windows) {
        "python.exe"
    } else {
        "python"
    };

    fn write(file: &Path) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }

    fn found(folder: &Path, variables: &[(&str, OsString)]) -> Option<String> {
        let variables: BTreeMap<&str, &OsString> = variables
            .iter()
            .map(|(name, value)| (*name, value))
            .collect();
        let system = folder.join("system");
        let search = Search {
            variable: &|name| variables.get(name).map(|&value| value.clone()),
            program: Some(&folder.join("program")),
            system: &[system.to_str().unwrap()],
        };
        let path = search.find()?;
        let path = path.strip_prefix(folder).unwrap_or(&path);
        Some(path.to_str().unwrap().replace('\\', "/"))
    }

    fn environment(folder: &Path, name: &str) -> String {
        let library = format!("{name}/{PACKAGES}/onnxruntime/capi/{LIBRARY}");
        write(&folder.join(&library));
        library
    }

    #[test]
    fn each_place_is_looked_at_and_the_nearer_one_counts() {
        let folder = TempDir::new().unwrap();
        let folder = &fs::canonicalize(folder.path()).unwrap();
        let own = |name: &str| folder.join(name).into_os_string();
        let virtual_env = [("VIRTUAL_ENV", own("venv"))];
        assert_eq!(found(folder, &virtual_env), None);

        let system = format!("system/{LIBRARY}");
        write(&folder.join(&system));
        assert_eq!(found(folder, &virtual_env), Some(system));

        let python = environment(folder, "python");
        write(&folder.join(format!("python/{PROGRAMS}/{PYTHON}")));
        let path = [own("empty"), own(&format!("python/{PROGRAMS}"))];
        let path = ("PATH", std::env::join_paths(path).unwrap());
        assert_eq!(found(folder, std::slice::from_ref(&path)), Some(python));

        let conda = environment(folder, "conda");
        let named = [("CONDA_PREFIX", own("conda")), path];
        assert_eq!(found(folder, &named), Some(conda));

        let venv = environment(folder, "venv");
        let both = [("CONDA_PREFIX", own("conda")), virtual_env[0].clone()];
        assert_eq!(found(folder, &both), Some(venv));

        let beside = format!("program/{LIBRARY}");
        write(&folder.join(&beside));
        assert_eq!(found(folder, &virtual_env), Some(beside));

        // Whether it is there or not: it was named.
        let named = [("ORT_DYLIB_PATH", own("named")), virtual_env[0].clone()];
        assert_eq!(found(folder, &named), Some("named".to_owned()));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_python_is_followed_unless_it_is_of_an_environment() {
        let folder = TempDir::new().unwrap();
        let folder = &fs::canonicalize(folder.path()).unwrap();
        let python = environment(folder, "python");
        write(&folder.join("python/bin/python3.12"));
        for name in ["links", "venv/bin"] {
            fs::create_dir_all(folder.join(name)).unwrap();
            let link = folder.join(name).join("python3");
            std::os::unix::fs::symlink(folder.join("python/bin/python3.12"), link).unwrap();
        }
        let on_path = |name: &str| [("PATH", folder.join(name).into_os_string())];
        assert_eq!(found(folder, &on_path("links")), Some(python.clone()));
        assert_eq!(found(folder, &on_path("venv/bin")), Some(python));
        write(&folder.join("venv/pyvenv.cfg"));
        assert_eq!(found(folder, &on_path("venv/bin")), None);
        let venv = environment(folder, "venv");
        assert_eq!(found(folder, &on_path("venv/bin")), Some(venv));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_newest_of_several_counts_and_others_do_not() {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        for name in ["9.2", "10.1"] {
            write(&folder.join(format!("program/libonnxruntime.so.1.{name}")));
        }
        write(&folder.join("program/libonnxruntime_providers_shared.so"));
        fs::create_dir_all(folder.join("program/libonnxruntime.so.2")).unwrap();
        let newest = "program/libonnxruntime.so.1.10.1".to_owned();
        assert_eq!(found(folder, &[]), Some(newest));
        write(&folder.join("program/libonnxruntime.so"));
        let plain = "program/libonnxruntime.so".to_owned();
        assert_eq!(found(folder, &[]), Some(plain));
    }

    #[test]
    fn its_name_or_its_package_says_which_version_it_is() {
        let folder = TempDir::new().unwrap();
        let said = |file: &str| version(&folder.path().join(file));
        let known = Some("1.24.1".to_owned());
        assert_eq!(said("libonnxruntime.so.1.24.1"), known);
        assert_eq!(said("libonnxruntime.1.24.1.dylib"), known);
        assert_eq!(said("a/b/c/onnxruntime.dll"), None);
        let package = folder.path().join("onnxruntime_gpu-1.24.1.dist-info");
        fs::create_dir(package).unwrap();
        assert_eq!(said("onnxruntime/capi/onnxruntime.dll"), known);
    }

    #[test]
    fn nothing_is_taken_by_a_path_that_leads_from_the_working_directory() {
        let folder = TempDir::new().unwrap();
        let relative = [".", "", "venv", "tests"].map(OsString::from);
        let path = std::env::join_paths(&relative).unwrap();
        for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
            for value in &relative {
                assert_eq!(found(folder.path(), &[(variable, value.clone())]), None);
            }
        }
        assert_eq!(found(folder.path(), &[("PATH", path)]), None);
    }
}
