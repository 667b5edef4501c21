package family_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"pgregory.net/rapid"
)

// spoilEach changes each field of what v points at, one at a time, calls seen with
// the field's path, and puts it back. Fields whose path does not count are left;
// nil counts all. Slices are entered, and restored element by element.
func spoilEach(t *rapid.T, v any, counts func(path string) bool, seen func(path string)) {
	spoil(t, reflect.ValueOf(v).Elem(), "", counts, seen)
}

func spoil(t *rapid.T, v reflect.Value, path string, counts func(string) bool, seen func(string)) {
	if moment, ok := v.Interface().(time.Time); ok {
		change(v, path, reflect.ValueOf(moment.Add(time.Nanosecond)), counts, seen)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(t, v.Field(i), path+"."+v.Type().Field(i).Name, counts, seen)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(t, v.Elem(), path, counts, seen)
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(t, v.Index(i), fmt.Sprintf("%s[%d]", path, i), counts, seen)
		}
	case reflect.String:
		change(v, path, reflect.ValueOf(v.String()+"x").Convert(v.Type()), counts, seen)
	case reflect.Bool:
		change(v, path, reflect.ValueOf(!v.Bool()).Convert(v.Type()), counts, seen)
	case reflect.Int, reflect.Int32, reflect.Int64:
		for _, by := range []int64{1, -1, 1_000_000} {
			change(v, path, reflect.ValueOf(v.Int()+by).Convert(v.Type()), counts, seen)
		}
	case reflect.Uint64:
		for _, by := range []uint64{1, ^uint64(0)} {
			change(v, path, reflect.ValueOf(v.Uint()+by).Convert(v.Type()), counts, seen)
		}
	default:
		t.Fatalf("%s is a %s, which this test does not know", path, v.Kind())
	}
}

func change(v reflect.Value, path string, to reflect.Value, counts func(string) bool, seen func(string)) {
	if counts != nil && !counts(path) {
		return
	}
	was := reflect.ValueOf(v.Interface())
	v.Set(to)
	seen(path)
	v.Set(was)
}

// jsonOf writes everything that v holds, through its pointers.
func jsonOf(t *rapid.T, v any) string {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
