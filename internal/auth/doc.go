// Package auth decides who may log in: names, passwords, SASL mechanisms (one file
// each) and what slows down those who guess.
//
// A login goes through four gates, cheapest first: the cache of logins that succeeded
// a short while ago; the throttle, which makes those wait who were wrong before; a slot
// among the few hash computations that may run at once; and the hash. An unknown
// user costs the same as a wrong password, and both get the same text.
package auth
