// Package systemd talks with the service manager that started the process, if there is one that wants to.
//
//	manager ── LISTEN_FDS, from descriptor 3 on ──▶ Sockets    bound before the process began, so that it needs no privilege
//	manager ◀── NOTIFY_SOCKET: READY=1 … ────────── Notifier   what it is told, in words for a person and in words for it
//	manager ── WATCHDOG_USEC ─────────────────────▶ Watchdog   how often it wants to hear WATCHDOG=1
//
// The words are those of sd_listen_fds(3), sd_notify(3) and sd_watchdog_enabled(3): environment variables, and datagrams to a unix
// socket. Without the variables nothing happens, on any system.
//
// Not its job: to know what the sockets are for, when the server is ready, or whether it is well.
package systemd
