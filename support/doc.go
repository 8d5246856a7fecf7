// Package support makes the bundle that a box's owner sends to whoever helps: one zip, with a list of what is in it and how large,
// made before anything leaves the box. It knows nothing of agents: it takes pieces of text, bounds each and all of them, takes out
// what is secret, and packs.
//
// # Promises
//
//	B1  No secret that the maker names is in the bundle, whatever piece it stood in; nor what follows a word that announces one
//	    (Authorization, token=, password=, …), nor a password in an address.
//	B2  A bundle is at most [Most] bytes before it is packed. A piece that is too long is cut at its beginning, for the end is the
//	    newest; a piece that no longer fits is left out. Both are said in the list.
//	B3  A piece that cannot be had is no error: the list says why.
//	B4  What was listed is what is packed.
package support
