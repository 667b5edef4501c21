package app

// Page is one page of a list; Next begins the next one and is empty at the end.
type Page[T any] struct {
	Items []T
	Next  string
}
