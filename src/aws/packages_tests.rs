#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// A server that gives the same answer to whoever asks; the URL of something there, with a secret in it.
async fn serving(head: &str, body: &'static [u8]) -> CodeLocation {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/code?X-Amz-Signature=topsecret", listener.local_addr().unwrap());
    let head = head.to_owned();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 2_048];
            let _ = stream.read(&mut asked).await;
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(body).await;
        }
    });
    CodeLocation(url)
}

fn ok(bytes: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\nconnection: close\r\n\r\n")
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn a_package_is_kept_whole_for_its_owner_alone_and_never_twice() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("evidence");
    let packages = Packages::new(Some(folder.clone()));
    let code = serving(&ok(3), b"zip").await;
    let kept = packages.keep(&code, "exfil", 300).await.unwrap();
    let again = packages.keep(&code, "exfil", 300).await.unwrap();
    assert_eq!(kept, again);
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(b"zip"));
    assert_eq!(files(&folder), [format!("exfil-{hash}.zip")]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(Path::new(&kept.place)), mode(&folder)), (0o600, 0o700));
    assert_eq!(std::fs::read(&kept.place).unwrap(), b"zip");
    // A file of that name that is another is not taken for it.
    std::fs::write(&kept.place, b"other").unwrap();
    let refused = packages.keep(&code, "exfil", 300).await.unwrap_err().to_string();
    assert!(refused.contains("something else"), "{refused}");
    assert_eq!(std::fs::read(&kept.place).unwrap(), b"other");
}

#[tokio::test]
async fn what_fails_leaves_nothing_and_tells_no_secret() {
    let home = TempDir::new().unwrap();
    let packages = Packages::new(Some(home.path().to_owned()));
    let gone = CodeLocation("http://127.0.0.1:1/code?X-Amz-Signature=topsecret".into());
    let nowhere = CodeLocation("not a URL X-Amz-Signature=topsecret".into());
    let announced = serving(&ok(9_000), b"").await;
    let endless = serving("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", &[0; 9_000]).await;
    let broken = serving(&ok(300), b"zi").await;
    let denied = serving("HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n", b"").await;
    let elsewhere = serving("HTTP/1.1 302 Go\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", b"").await;
    for (what, at) in [
        ("gone", gone),
        ("nowhere", nowhere),
        ("announced", announced),
        ("endless", endless),
        ("broken", broken),
        ("denied", denied),
        ("elsewhere", elsewhere),
    ] {
        let error = packages.keep(&at, "exfil", 300).await.unwrap_err();
        let told = format!("{error} {error:?} {at:?}");
        assert!(!told.contains("topsecret") && !told.contains("Signature"), "{what}: {told}");
        assert_eq!(files(home.path()), Vec::<String>::new(), "{what}");
    }
    assert!(!Packages::new(None).are_kept());
}

#[test]
fn no_name_leads_out_of_the_folder() {
    for name in ["../../etc/passwd", "/etc/passwd", "a\0b", "..", "", "\u{202e}x", &"x".repeat(5_000)] {
        let file = file_name(name, [0; 32]);
        assert!(!file.contains(['/', '.', '\0']) || file.matches('.').count() == 1, "{file}");
        assert!(file.len() < 200 && !file.starts_with('.') && file.is_ascii(), "{file}");
    }
}

#[test]
fn https_is_there() {
    assert!(Packages::new(None).client().is_ok());
}
