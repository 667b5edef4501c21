// Package throttle bounds how many requests an address, a subject and an institution may
// make, within one process and in bounded memory.
//
// Each has a bucket of tokens (golang.org/x/time/rate). The buckets that were used last
// are kept, up to Keys of each kind: whoever asks under ever new addresses drives the
// buckets of others out and so gives them a full one, but never takes more memory.
// Processes do not tell each other: with n of them an address gets up to n times its
// rate. What bounds them all is in front of the process (API Gateway's throttling).
package throttle

import (
	"container/list"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Keys is how many buckets of a kind are kept; one takes some 300 bytes.
const Keys = 16_384

// Rate is how many requests a second one may make for long, and how many at once. The
// zero Rate is no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Rates are the limits of a door. The zero Rates limit nobody.
type Rates struct {
	// Address is for everybody behind one network address, before anything else is
	// looked at; Subject for whom a token names; Institution for one code, over all
	// that act for it.
	Address, Subject, Institution Rate
}

// Parse reads rates such as "address=50:200,subject=20:100,institution=200:1000":
// requests a second and at once. What is not named is not limited; "off" limits nobody.
func Parse(text string) (Rates, error) {
	var r Rates
	if text == "" || text == "off" {
		return r, nil
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, numbers, _ := strings.Cut(part, "=")
		into := map[string]*Rate{"address": &r.Address, "subject": &r.Subject, "institution": &r.Institution}[name]
		perSecond, burst, _ := strings.Cut(numbers, ":")
		f, err1 := strconv.ParseFloat(perSecond, 64)
		n, err2 := strconv.Atoi(burst)
		if into == nil || seen[name] || errors.Join(err1, err2) != nil || !(f > 0) || math.IsInf(f, 1) || n < 1 || n > 1_000_000 {
			return Rates{}, fmt.Errorf("throttle: %q is not like address=50:200", part)
		}
		seen[name], *into = true, Rate{f, n}
	}
	return r, nil
}

// buckets are those of one kind.
type buckets struct {
	rate Rate
	keys int

	mu     sync.Mutex
	byKey  map[string]*list.Element
	recent *list.List // of *bucket, the last used first
}

type bucket struct {
	key   string
	limit *rate.Limiter
}

func newBuckets(r Rate, keys int) *buckets {
	return &buckets{rate: r, keys: keys, byKey: map[string]*list.Element{}, recent: list.New()}
}

// take takes a token of a key, or returns how long until there is one.
func (b *buckets) take(key string, now time.Time) time.Duration {
	if b.rate == (Rate{}) || key == "" {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.byKey[key]
	if at == nil {
		if b.recent.Len() >= b.keys {
			oldest := b.recent.Back()
			delete(b.byKey, b.recent.Remove(oldest).(*bucket).key)
		}
		at = b.recent.PushFront(&bucket{key, rate.NewLimiter(rate.Limit(b.rate.PerSecond), b.rate.Burst)})
		b.byKey[key] = at
	} else {
		b.recent.MoveToFront(at)
	}
	r := at.Value.(*bucket).limit.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now) // who is refused does not push his own time back
	}
	return wait
}

// Gate is the limits of all doors of a process. A nil Gate limits nobody; any number of
// goroutines may use one.
type Gate struct {
	now                           func() time.Time
	address, subject, institution *buckets
}

// NewGate returns a gate; now is the machine's clock.
func NewGate(r Rates, now func() time.Time) *Gate { return newGate(r, now, Keys) }

func newGate(r Rates, now func() time.Time, keys int) *Gate {
	return &Gate{now, newBuckets(r.Address, keys), newBuckets(r.Subject, keys), newBuckets(r.Institution, keys)}
}

// Address counts a request from its network address and returns after how many seconds
// the next may pass, 0 when this one may. Of an IPv6 address its network of 64 bits
// counts, which is what one customer has.
func (g *Gate) Address(r *http.Request) int {
	if g == nil {
		return 0
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap().WithZone("")
		host = ip.String()
		if ip.Is6() {
			network, _ := ip.Prefix(64) // 64 bits are within its 128
			host = network.String()
		}
	}
	return seconds(g.address.take(host, g.now()))
}

// Subject counts a request of whom a token names, as Address does.
func (g *Gate) Subject(name string) int {
	if g == nil {
		return 0
	}
	return seconds(g.subject.take(name, g.now()))
}

// Institution counts a request for an institution, as Address does.
func (g *Gate) Institution(code string) int {
	if g == nil {
		return 0
	}
	return seconds(g.institution.take(code, g.now()))
}

// seconds rounds up: who waits as long as he is told to passes.
func seconds(wait time.Duration) int { return int((wait + time.Second - 1) / time.Second) }
