// Package files changes files that others read, and perhaps change, at the same time, and reads small ones that others gave.
//
//	            draft in the same file system        path
//	content ──▶ .new-*: write, mode, owner, sync ──▶ rename ──▶ sync of its directory
//	            ▲                                    ▲
//	            │ a crash leaves it: Drafts          │ before it a reader finds the old, after it the new: whole
//
//	edit ──▶ Lock(directory) ──▶ read ──▶ think ──▶ replace ──▶ unlock
//	         another edit waits, and then reads what this one has written
//
// Words. A draft is a file while it is written. An edit is what reads files of a directory and then replaces one of them. The lock lies
// on the directory itself, so there is no file for it, and it ends with the process that has it, however that ends. It binds only those
// who ask for it: an editor or a tool that distributes files does not, so who edits looks whether the file is still as it was read.
//
// Not its job: to know what is in the files, to look whether a file has changed meanwhile, to decide who may write (the callers); to
// append (package audit); to keep copies from elsewhere (package blocklists/mirror).
package files
