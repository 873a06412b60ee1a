//! What `cargo refrain init` changes in a user's files: each change as a text before and after, made before any is written.

use super::read;
use crate::{exit::Problem, output::shown};
use refrain_core::graph::{FOLDER, MODELS, locked};
use std::{
    fs,
    path::{Path, PathBuf},
};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

/// Lets madsim build at all; without `refrain` in the graph it does nothing.
const FLAG: &str = "madsim";

/// A file that changes, or is new.
#[derive(Debug)]
pub struct Edit {
    pub path: PathBuf,
    pub before: Option<String>,
    pub after: String,
    /// What is done to it, for the user.
    pub done: Vec<String>,
}

impl Edit {
    fn open(path: PathBuf) -> Result<(Edit, DocumentMut), Problem> {
        let document = if path.exists() { read(&path)? } else { DocumentMut::new() };
        let before = path.exists().then(|| document.to_string());
        Ok((Edit { path, before, after: String::new(), done: vec![] }, document))
    }

    fn close(mut self, document: &DocumentMut) -> Edit {
        self.after = document.to_string();
        self
    }
}

/// Which tokio to copy: the one that Cargo.lock says; without one, the newest.
pub fn tokio_requirement(root: &Path) -> Result<String, Problem> {
    let lock = match fs::read_to_string(root.join("Cargo.lock")) {
        Ok(lock) => lock,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok("1".into()),
        Err(error) => return Err(super::tree::cannot("read", &root.join("Cargo.lock"), &error)),
    };
    let mut tokios = locked(&lock);
    tokios.retain(|package| package.name == "tokio" && package.version.starts_with("1."));
    // If the patch does not apply, the registry's is the one that the graph needs.
    tokios.sort_by_key(|tokio| !tokio.is_fetched());
    Ok(tokios.first().map_or_else(|| "1".into(), |tokio| format!("={}", tokio.version)))
}

/// The version of the registry's tokio, if Cargo.lock has that and no other tokio 1.
pub fn registry_tokio(root: &Path) -> Result<Option<String>, Problem> {
    let path = root.join("Cargo.lock");
    if !path.exists() {
        return Ok(None);
    }
    let lock = fs::read_to_string(&path).map_err(|error| super::tree::cannot("read", &path, &error))?;
    let mut tokios = locked(&lock);
    tokios.retain(|package| package.name == "tokio" && package.version.starts_with("1."));
    Ok(tokios.pop().filter(|tokio| tokios.is_empty() && tokio.is_fetched()).map(|tokio| tokio.version))
}

/// The clone of refrain that the workspace names, if it does not take refrain from the registry.
pub fn clone_of(root: &Path) -> Result<Option<PathBuf>, Problem> {
    let manifest = read(&root.join("Cargo.toml"))?;
    let metadata =
        ["workspace", "package"].iter().find_map(|table| manifest.get(table)?.get("metadata")?.get("refrain"));
    let Some(clone) = metadata.and_then(|metadata| metadata.get("clone")?.as_str()) else { return Ok(None) };
    let path = root.join(clone);
    path.canonicalize().map(Some).map_err(|error| {
        Problem::could_not_run(format!(
            "{} says that refrain is cloned in {clone}: {error}: clone it there",
            shown(&root.join("Cargo.toml"))
        ))
    })
}

/// The dependencies that the workspace wants to be part of models.
pub fn models_of(root: &Path) -> Result<Vec<String>, Problem> {
    let manifest = read(&root.join("Cargo.toml"))?;
    let metadata =
        ["workspace", "package"].iter().find_map(|table| manifest.get(table)?.get("metadata")?.get("refrain"));
    let names = metadata.and_then(|metadata| metadata.get(MODELS)?.as_array());
    Ok(names.into_iter().flat_map(Array::iter).filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Whether the workspace says that tokio is the one in `.refrain/`.
pub fn is_patched(root: &Path) -> Result<bool, Problem> {
    let manifest = read(&root.join("Cargo.toml"))?;
    let patch = manifest.get("patch").and_then(|patch| patch.get("crates-io")?.get("tokio")?.get("path")?.as_str());
    Ok(patch.is_some_and(|path| Path::new(path).starts_with(FOLDER)))
}

/// The workspace's own manifest: the patch, and where refrain is cloned.
pub fn patch(
    root: &Path,
    patches: &[(String, PathBuf)],
    models: &[String],
    clone: Option<&Path>,
) -> Result<Edit, Problem> {
    let (mut edit, mut manifest) = Edit::open(root.join("Cargo.toml"))?;
    if has_first_resolver(&manifest) {
        let table = if manifest.contains_key("workspace") { "workspace" } else { "package" };
        manifest[table]["resolver"] = value("2");
        edit.done.push(format!("[{table}] resolver = \"2\", for with the first one production is simulated as well"));
    }
    let table = if manifest.contains_key("workspace") { "workspace" } else { "package" };
    if models != models_of(root)? {
        let metadata = implicit(implicit(&mut manifest[table]["metadata"]).entry("refrain").or_insert(Item::None));
        edit.done.push(format!("[{table}.metadata.refrain] {MODELS} = {models:?}"));
        metadata[MODELS] = value(models.iter().map(String::as_str).collect::<Array>());
    }
    if let Some(clone) = clone {
        let clone = pathdiff::diff_paths(clone, root).unwrap_or_else(|| clone.to_owned());
        let clone = clone.to_string_lossy().into_owned();
        let metadata = implicit(implicit(&mut manifest[table]["metadata"]).entry("refrain").or_insert(Item::None));
        if metadata.get("clone").and_then(Item::as_str) != Some(&clone) {
            edit.done.push(format!("[{table}.metadata.refrain] clone = \"{clone}\""));
            metadata["clone"] = value(clone);
        }
    }
    exclude_generated(&mut manifest, &mut edit.done);
    let all = implicit(implicit(&mut manifest["patch"]).entry("crates-io").or_insert(Item::None));
    remove_old(all, patches, &mut edit.done);
    for (name, path) in patches {
        let path = path.to_string_lossy();
        let old = all.get(name).map(|patch| patch.get("path").and_then(Item::as_str).unwrap_or("").to_owned());
        match old {
            Some(old) if old == path => {}
            Some(old) if !Path::new(&old).starts_with(FOLDER) => {
                return Err(Problem::could_not_run(format!(
                    "{} patches {name} already, and cargo takes one patch: remove yours, or test without `cargo refrain init`",
                    shown(&edit.path)
                )));
            }
            _ => {
                edit.done.push(format!("[patch.crates-io] {name} = {{ path = \"{path}\" }}"));
                all[name] = value(InlineTable::from_iter([("path", path.as_ref())]));
            }
        }
    }
    Ok(edit.close(&manifest))
}

/// Removes the patches of what is no longer part of models.
fn remove_old(all: &mut Table, patches: &[(String, PathBuf)], done: &mut Vec<String>) {
    let models = Path::new(FOLDER).join(MODELS);
    let is_old = |(name, patch): (&str, &Item)| {
        let path = patch.get("path").and_then(Item::as_str).unwrap_or_default();
        (Path::new(path).starts_with(&models) && !patches.iter().any(|(other, _)| other == name))
            .then(|| name.to_owned())
    };
    for name in all.iter().filter_map(is_old).collect::<Vec<_>>() {
        all.remove(&name);
        done.push(format!("[patch.crates-io] without {name}"));
    }
}

/// A pattern such as `*` among the members matches the generated directories, too, which hold no member.
fn exclude_generated(manifest: &mut DocumentMut, done: &mut Vec<String>) {
    let Some(workspace) = manifest.get_mut("workspace").and_then(Item::as_table_like_mut) else { return };
    let members = workspace.get("members").and_then(Item::as_array);
    let patterns = members.into_iter().flat_map(Array::iter).filter_map(Value::as_str);
    if !patterns.into_iter().any(|pattern| pattern.starts_with(['*', '?', '['])) {
        return;
    }
    let excluded = workspace.entry("exclude").or_insert(value(Array::new()));
    let Some(excluded) = excluded.as_array_mut() else { return };
    for folder in [".cargo", FOLDER] {
        if !excluded.iter().any(|path| path.as_str() == Some(folder)) {
            excluded.push(folder);
            done.push(format!("[workspace] exclude {folder}"));
        }
    }
}

/// With the first resolver cargo unifies features of tests and of production, which would be simulated.
fn has_first_resolver(manifest: &DocumentMut) -> bool {
    let get = |table: &str, key: &str| Some(manifest.get(table)?.get(key)?.as_str()?.to_owned());
    let resolver = get("workspace", "resolver").or_else(|| get("package", "resolver"));
    // An edition that members inherit is of the same age.
    let inherited = manifest.get("workspace").and_then(|workspace| workspace.get("package")?.get("edition")?.as_str());
    let inherited = inherited.filter(|_| manifest.contains_key("package")).map(str::to_owned);
    match resolver {
        Some(resolver) => resolver == "1",
        None => {
            get("package", "edition").or(inherited).is_none_or(|edition| matches!(edition.as_str(), "2015" | "2018"))
        }
    }
}

/// A package's manifest: the dev-dependency.
pub fn dev_dependency(edit: Edit) -> Result<Edit, Problem> {
    let mut edit = edit;
    let mut manifest: DocumentMut = edit
        .after
        .parse()
        .map_err(|error| Problem::could_not_run(format!("{} is not TOML: {error}", shown(&edit.path))))?;
    let dependencies = manifest["dev-dependencies"].or_insert(Item::Table(Table::new()));
    if dependencies.get("refrain").is_none() {
        let version = version();
        dependencies["refrain"] = value(&version);
        edit.done.push(format!("[dev-dependencies] refrain = \"{version}\""));
    }
    Ok(edit.close(&manifest))
}

/// A file that has not changed yet.
pub fn unchanged(path: PathBuf) -> Result<Edit, Problem> {
    let (edit, document) = Edit::open(path)?;
    Ok(edit.close(&document))
}

/// `0.1` of `0.1.0`: as cargo reads it, every version that is compatible.
fn version() -> String {
    let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
    format!("{major}.{minor}")
}

/// The configuration of cargo: the flag, for the compiler and for rustdoc.
pub fn config(root: &Path) -> Result<Edit, Problem> {
    let (mut edit, mut config) = Edit::open(root.join(".cargo/config.toml"))?;
    // Cargo joins what the folders above say.
    let above = root
        .ancestors()
        .skip(1)
        .flat_map(|folder| [".cargo/config.toml", ".cargo/config"].map(|name| folder.join(name)));
    let above: Vec<DocumentMut> =
        above.filter(|path| path.is_file()).map(|path| read(&path)).collect::<Result<_, _>>()?;
    let targets = config.get("target").and_then(Item::as_table_like);
    // Where a target has flags of its own, cargo takes those and not the build's.
    let own =
        targets.into_iter().flat_map(|targets| targets.iter()).filter(|(_, target)| target.get("rustflags").is_some());
    let own: Vec<String> = own.map(|(name, _)| name.to_owned()).collect();
    for target in own {
        if add_flag(&mut config["target"][&target]["rustflags"]) {
            edit.done.push(format!("[target.'{target}'] rustflags: --cfg {FLAG}"));
        }
    }
    for flags in ["rustflags", "rustdocflags"] {
        let said =
            above.iter().any(|above| above.get("build").and_then(|build| build.get(flags)).is_some_and(has_flag));
        if !said && add_flag(implicit(&mut config["build"]).entry(flags).or_insert(Item::None)) {
            edit.done.push(format!("[build] {flags}: --cfg {FLAG}"));
        }
    }
    if edit.done.is_empty() {
        config = edit.before.as_deref().unwrap_or_default().parse().unwrap_or_default();
    }
    Ok(edit.close(&config))
}

fn has_flag(flags: &Item) -> bool {
    let words: Vec<&str> = match flags {
        Item::Value(Value::String(words)) => words.value().split_whitespace().collect(),
        Item::Value(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    words.contains(&format!("--cfg={FLAG}").as_str()) || words.windows(2).any(|pair| pair == ["--cfg", FLAG])
}

/// Adds the flag, unless it is there. Says whether it was not.
fn add_flag(flags: &mut Item) -> bool {
    if has_flag(flags) {
        return false;
    }
    match flags {
        Item::Value(Value::Array(words)) => words.extend(["--cfg", FLAG]),
        Item::Value(Value::String(words)) => *flags = value(format!("{} --cfg {FLAG}", words.value().trim_end())),
        _ => *flags = value(Array::from_iter(["--cfg", FLAG])),
    }
    true
}

/// A table that is made without a heading of its own, if it is not there.
fn implicit(item: &mut Item) -> &mut Table {
    if !item.is_table() {
        let mut table = Table::new();
        // A table in one line, `metadata = { ... }`, is written out.
        if let Some(old) = item.as_inline_table() {
            table = old.clone().into_table();
        }
        table.set_implicit(true);
        *item = Item::Table(table);
    }
    item.as_table_mut().expect("it is one now")
}
