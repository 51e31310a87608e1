// Package pair is two stores as one, while accounts move between them: each account is
// served by the store that has it. With one store it is that store, at no cost.
package pair
