//! What the workspace is: its channels, people and groups, and how strict it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The workspace that people work in.
pub(crate) const TEAM: &str = "T0TEAM";

/// Another one: where external people come from.
pub(crate) const OTHER_TEAM: &str = "T0OTHER";

/// Somebody who can be asked for with `users.info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "as Slack has them")]
pub struct User {
    /// `U…`.
    pub id: String,
    /// The handle.
    pub name: String,
    /// The full name, which people choose themselves.
    #[serde(default)]
    pub real_name: String,
    /// The address, if it can be seen.
    #[serde(default)]
    pub email: Option<String>,
    /// The workspace that the person belongs to.
    #[serde(default = "own_team")]
    pub team_id: String,
    /// Deactivated.
    #[serde(default)]
    pub deleted: bool,
    /// A bot's user.
    #[serde(default)]
    pub is_bot: bool,
    /// A guest, of several channels.
    #[serde(default)]
    pub is_restricted: bool,
    /// A guest, of one channel.
    #[serde(default)]
    pub is_ultra_restricted: bool,
    /// From another workspace, in a shared channel.
    #[serde(default)]
    pub is_stranger: bool,
}

fn own_team() -> String {
    TEAM.to_owned()
}

impl User {
    /// A full member of the workspace, with an address at example.com.
    pub fn member(id: &str, name: &str, real_name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            real_name: real_name.to_owned(),
            email: Some(format!("{name}@example.com")),
            team_id: own_team(),
            deleted: false,
            is_bot: false,
            is_restricted: false,
            is_ultra_restricted: false,
            is_stranger: false,
        }
    }
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// `C…`.
    pub id: String,
    /// Its name, without the `#`.
    pub name: String,
    /// Nobody can post there any more.
    #[serde(default)]
    pub is_archived: bool,
    /// Whether the bot is in it.
    #[serde(default = "yes")]
    pub is_member: bool,
}

fn yes() -> bool {
    true
}

impl Channel {
    /// A channel that the bot is in.
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), is_archived: false, is_member: true }
    }
}

/// A user group, as on-call rotations keep them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// `S…`.
    pub id: String,
    /// What people write after the `@`.
    pub handle: String,
    /// The ids of its members.
    pub users: Vec<String>,
}

impl Group {
    /// A group with these members.
    pub fn new(id: &str, handle: &str, users: &[&str]) -> Self {
        Self { id: id.to_owned(), handle: handle.to_owned(), users: users.iter().map(ToString::to_string).collect() }
    }
}

/// What the double should be. The default is a workspace with a person of each kind, and Slack's own limits.
#[derive(Clone, Debug)]
pub struct SlackOptions {
    /// The port; 0 for any that is free.
    pub port: u16,
    /// The workspace's name.
    pub team_name: String,
    /// The app's id.
    pub app_id: String,
    /// The app's own user.
    pub bot_user_id: String,
    /// All channels.
    pub channels: Vec<Channel>,
    /// All people, the app's own user left out.
    pub users: Vec<User>,
    /// All user groups.
    pub groups: Vec<Group>,
    /// How many messages a channel takes at once.
    pub post_burst: u32,
    /// How long it takes until it takes one more.
    pub post_interval: Duration,
    /// How long an acknowledgement may take.
    pub acknowledge_within: Duration,
    /// How often an interaction that was not acknowledged is sent again. Slack does not, for clicks.
    pub resends: u32,
    /// How long a trigger lives.
    pub trigger_lifetime: Duration,
    /// How long a `response_url` lives.
    pub response_url_lifetime: Duration,
    /// How often a connection is pinged.
    pub ping_interval: Duration,
}

impl Default for SlackOptions {
    fn default() -> Self {
        Self {
            port: 0,
            team_name: "Example".to_owned(),
            app_id: "A0SLUICE".to_owned(),
            bot_user_id: "U0SLUICE".to_owned(),
            channels: vec![Channel::new("C0SECURITY", "security"), Channel::new("C0FALLBACK", "security-fallback")],
            users: everybody(),
            groups: vec![
                Group::new("S0ONCALL", "oncall", &["U0BOB", "U0CAROL"]),
                Group::new("S0SECURITY", "security", &["U0ALICE", "U0BOB"]),
            ],
            post_burst: 5,
            post_interval: Duration::from_secs(1),
            acknowledge_within: Duration::from_secs(3),
            resends: 0,
            trigger_lifetime: Duration::from_secs(3),
            response_url_lifetime: Duration::from_mins(30),
            ping_interval: Duration::from_secs(10),
        }
    }
}

fn everybody() -> Vec<User> {
    vec![
        User::member("U0ALICE", "alice", "Alice Archer"),
        User::member("U0BOB", "bob", "Bob Baker"),
        User::member("U0CAROL", "carol", "Carol Carter"),
        User::member("U0MALLORY", "mallory", "Mallory Moss"),
        User { is_restricted: true, ..User::member("U0GUEST", "guest", "Gwen Guest") },
        User { deleted: true, ..User::member("U0GONE", "gone", "Gus Gone") },
        User { is_bot: true, email: None, ..User::member("U0ROBOT", "robot", "Robot") },
        User {
            is_stranger: true,
            team_id: OTHER_TEAM.to_owned(),
            email: None,
            ..User::member("U0EXTERN", "extern", "Ed External")
        },
    ]
}
