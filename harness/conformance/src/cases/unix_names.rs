//! Names of Unix sockets: paths and abstract names, and who is behind them.

use super::Side;
use crate::net::Net;
use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
};
use tokio::net::{UnixListener, UnixSocket, UnixStream};

/// Listens on the server's machine.
async fn listen(net: &Net, path: impl AsRef<Path>) -> io::Result<UnixListener> {
    let path = path.as_ref().to_owned();
    net.on(Side::Server, async { UnixListener::bind(path) }).await
}

/// Connects on the server's machine.
async fn connect(net: &Net, path: impl AsRef<Path>) -> io::Result<UnixStream> {
    let path = path.as_ref().to_owned();
    net.on(Side::Server, UnixStream::connect(path)).await
}

/// Does something with a path on the server's machine.
async fn with<T: Send + 'static>(net: &Net, path: &Path, what: fn(&Path) -> T) -> T {
    let path = path.to_owned();
    net.on(Side::Server, async move { what(&path) }).await
}

fn path(net: &Net) -> PathBuf {
    net.folder().join("a")
}

pub async fn a_path_is_taken_once(net: Net) {
    let _first = net.sees("the first binds", listen(&net, path(&net))).await;
    net.sees("the second binds", listen(&net, path(&net))).await;
}

pub async fn a_path_outlives_its_listener(net: Net) {
    drop(net.sees("the first binds", listen(&net, path(&net))).await);
    net.sees("a client connects", connect(&net, path(&net))).await;
    net.sees("the second binds", listen(&net, path(&net))).await;
    net.note("the path is removed", with(&net, &path(&net), |path| fs::remove_file(path)).await);
    net.sees("a client connects", connect(&net, path(&net))).await;
    let _third = net.sees("the third binds", listen(&net, path(&net))).await;
    net.sees("a client connects", connect(&net, path(&net))).await;
}

pub async fn a_path_that_nobody_bound_is_not_found(net: Net) {
    net.sees("a client connects", connect(&net, path(&net))).await;
    net.note("the path is removed", with(&net, &path(&net), |path| fs::remove_file(path)).await);
}

pub async fn a_folder_that_is_missing_is_not_found(net: Net) {
    let path = net.folder().join("missing").join("a");
    net.sees("a listener binds", listen(&net, &path)).await;
    net.sees("a client connects", connect(&net, &path)).await;
}

pub async fn a_file_that_is_no_folder_leads_nowhere(net: Net) {
    let path = Path::new("/etc/passwd/a");
    net.sees("a listener binds", listen(&net, path)).await;
    net.sees("a client connects", connect(&net, path)).await;
}

pub async fn a_file_that_is_no_socket_is_in_the_way(net: Net) {
    for path in ["/etc/passwd", "/etc"].map(Path::new) {
        net.sees("a listener binds", listen(&net, path)).await;
        net.sees("a client connects", connect(&net, path)).await;
    }
}

pub async fn one_folder_has_several_names(net: Net) {
    let _listener = net.sees("a listener binds", listen(&net, net.folder().join(".").join("a"))).await;
    net.sees("a client connects", connect(&net, path(&net))).await;
}

pub async fn a_path_shows_as_a_socket(net: Net) {
    let is_there = |path: &Path| path.exists();
    let is_socket = |path: &Path| fs::metadata(path).is_ok_and(|file| file.file_type().is_socket());
    net.note("it is there", with(&net, &path(&net), is_there).await);
    let listener = listen(&net, path(&net)).await.unwrap();
    net.note("it is there", with(&net, &path(&net), is_there).await);
    net.note("it is a socket", with(&net, &path(&net), is_socket).await);
    let allow = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777));
    net.note("everybody may connect", with(&net, &path(&net), allow).await);
    drop(listener);
    net.note("it is there", with(&net, &path(&net), is_there).await);
    net.note("the path is removed", with(&net, &path(&net), |path| fs::remove_file(path)).await);
    net.note("it is there", with(&net, &path(&net), is_there).await);
    net.note("everybody may connect", with(&net, &path(&net), allow).await);
}

pub async fn a_path_that_was_removed_leads_to_the_next_listener(net: Net) {
    let first = listen(&net, path(&net)).await.unwrap();
    let _early = net.sees("a client connects", connect(&net, path(&net))).await;
    with(&net, &path(&net), |path| fs::remove_file(path)).await.unwrap();
    net.sees("a client connects", connect(&net, path(&net))).await;
    let second = net.sees("the second binds", listen(&net, path(&net))).await.unwrap().unwrap();
    let _late = net.sees("a client connects", connect(&net, path(&net))).await;
    net.sees("the first accepts", first.accept()).await;
    net.sees("the second accepts", second.accept()).await;
    net.waits("the first accepts", first.accept()).await;
}

pub async fn an_abstract_name_goes_with_its_listener(net: Net) {
    let first = net.sees("the first binds", listen(&net, net.abstract_name())).await;
    net.sees("the second binds", listen(&net, net.abstract_name())).await;
    net.sees("a client connects", connect(&net, net.abstract_name())).await;
    drop(first);
    net.sees("a client connects", connect(&net, net.abstract_name())).await;
    let _third = net.sees("the third binds", listen(&net, net.abstract_name())).await;
}

pub async fn a_socket_without_a_name_is_given_one(net: Net) {
    let listener = net.sees("a listener binds", listen(&net, "")).await.unwrap().unwrap();
    let address = listener.local_addr().unwrap();
    net.note("its name has", address.as_abstract_name().map_or(0, <[u8]>::len));
    let _other = net.sees("another one binds", listen(&net, "")).await;
    net.sees("a client connects to no name", connect(&net, "")).await;
    let connected = net.on(Side::Server, async move { UnixStream::connect_addr(&address).await });
    net.sees("a client connects to its name", connected).await;
}

pub async fn a_path_that_no_address_holds_is_refused(net: Net) {
    for path in ["x".repeat(200), "a\0b".to_owned()] {
        net.sees("a listener binds", listen(&net, &path)).await;
        net.sees("a client connects", connect(&net, &path)).await;
    }
}

pub async fn addresses_are_those_that_were_bound(net: Net) {
    let listener = listen(&net, path(&net)).await.unwrap();
    let client = connect(&net, path(&net)).await.unwrap();
    let (server, from) = listener.accept().await.unwrap();
    net.note("the listener's address", listener.local_addr());
    net.note("the client's own address", client.local_addr());
    net.note("the client's peer", client.peer_addr());
    net.note("the server's own address", server.local_addr());
    net.note("the server's peer", server.peer_addr());
    net.note("the accepted address", from);
}

pub async fn a_client_may_have_an_address(net: Net) {
    let listener = listen(&net, path(&net)).await.unwrap();
    let (own, to) = (net.folder().join("b"), path(&net));
    let connecting = net.on(Side::Server, async move {
        let socket = UnixSocket::new_stream()?;
        socket.bind(own)?;
        socket.connect(to).await
    });
    let client = net.sees("the client connects", connecting).await.unwrap().unwrap();
    let (server, from) = listener.accept().await.unwrap();
    net.note("the client's own address", client.local_addr());
    net.note("the server's peer", server.peer_addr());
    net.note("the accepted address", from);
    drop(client);
    net.note("the server's peer after it left", server.peer_addr());
    net.sees("another client connects to it", connect(&net, net.folder().join("b"))).await;
}

pub async fn a_socket_is_bound_once_before_it_listens(net: Net) {
    let (one, other) = (path(&net), net.folder().join("b"));
    let unbound = net.on(Side::Server, async { UnixSocket::new_stream()?.listen(1) });
    net.sees("a socket without an address listens", unbound).await;
    let binds = net.on(Side::Server, async move {
        let socket = UnixSocket::new_stream()?;
        socket.bind(one)?;
        socket.bind(other)
    });
    net.sees("a socket binds twice", binds).await;
    let datagrams = net.on(Side::Server, async { UnixSocket::new_datagram()?.listen(1).map(drop) });
    net.sees("a socket for datagrams listens", datagrams).await;
}

pub async fn a_bound_socket_that_does_not_listen_refuses(net: Net) {
    let at = path(&net);
    let bound = net.on(Side::Server, async move {
        let socket = UnixSocket::new_stream()?;
        socket.bind(at).map(|()| socket)
    });
    let _bound = net.sees("a socket binds", bound).await;
    net.sees("a client connects", connect(&net, path(&net))).await;
}
