#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use std::fs::{create_dir_all, write};
use std::os::unix::fs::symlink;

fn walked(paths: &[&Path]) -> (Vec<PathBuf>, usize) {
    let (mut files, mut unreadable) = (Vec::new(), 0);
    let roots = roots(paths.iter().copied()).unwrap();
    walk(&roots, &mut |met| {
        match met {
            Met::File(path, _) => files.push(path),
            Met::Unreadable(..) => unreadable += 1,
        }
        true
    });
    (files, unreadable)
}

fn names(home: &Path, files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|path| path.strip_prefix(home).unwrap().display().to_string()).collect()
}

#[test]
fn files_come_in_order_and_what_is_no_log_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    for folder in ["b/c", "a/CloudTrail-Digest/x", ".git"] {
        create_dir_all(home.join(folder)).unwrap();
    }
    for file in
        ["b/c/2.json", "b/1.json.gz", "z", "a/1.json", "a/CloudTrail-Digest/x/d.json.gz", ".git/config", "b/.DS_Store"]
    {
        write(home.join(file), "{}").unwrap();
    }
    let (files, unreadable) = walked(&[home]);
    assert_eq!(names(home, &files), ["z", "a/1.json", "b/1.json.gz", "b/c/2.json"]);
    assert_eq!(unreadable, 0);
    // Named, even such a folder is read.
    assert_eq!(walked(&[&home.join("a/CloudTrail-Digest")]).0.len(), 1);
}

#[test]
fn links_lead_nowhere_twice() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (home, far) = (dir.path(), elsewhere.path());
    create_dir_all(home.join("a/b")).unwrap();
    create_dir_all(far.join("deep")).unwrap();
    write(home.join("a/b/1.json"), "{}").unwrap();
    write(far.join("deep/2.json"), "{}").unwrap();
    symlink(home, home.join("a/b/circle")).unwrap();
    symlink("../b", home.join("a/b/self")).unwrap();
    symlink(home.join("a/b/1.json"), home.join("again.json")).unwrap();
    symlink(far, home.join("far")).unwrap();
    symlink(far.join("deep"), home.join("a/deep")).unwrap();
    symlink(far.join("deep/2.json"), home.join("a/two.json")).unwrap();
    symlink(far, far.join("deep/back")).unwrap();
    symlink("nowhere", home.join("broken")).unwrap();
    let (files, unreadable) = walked(&[home]);
    let mut real: Vec<PathBuf> = files.iter().map(|path| path.canonicalize().unwrap()).collect();
    real.sort();
    let mut expected = [home.join("a/b/1.json"), far.join("deep/2.json")].map(|path| path.canonicalize().unwrap());
    expected.sort();
    assert_eq!(real, expected);
    assert_eq!(unreadable, 1);
}

#[test]
fn what_is_named_twice_is_walked_once() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    create_dir_all(home.join("a")).unwrap();
    write(home.join("a/1.json"), "{}").unwrap();
    let (folder, file) = (home.join("a"), home.join("a/1.json"));
    for paths in [[&file, &folder, &file], [&folder, &folder, &file], [&file, &file, &file]] {
        assert_eq!(walked(&paths.map(PathBuf::as_path)).0.len(), 1, "{paths:?}");
    }
}

#[test]
fn a_path_that_is_not_there_is_an_error_that_names_it() {
    let Err(error) = roots([Path::new("/no/such/path")].into_iter()) else { unreachable!() };
    assert_eq!(error.to_string(), "/no/such/path: No such file or directory (os error 2)");
}

#[test]
fn folders_may_lie_deep_in_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join(["d"; 1000].join("/"));
    create_dir_all(&deep).unwrap();
    write(deep.join("1.json"), "{}").unwrap();
    assert_eq!(walked(&[dir.path()]).0, [deep.join("1.json")]);
}
