package his

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
)

// mobilePath is where mobile apps of an institution send encrypted messages.
const mobilePath = "mobileService/callService"

// mobileOffers are the transactions that an encrypted message may ask for.
var mobileOffers = map[string]bool{"6101": true, "1162": true, "6201": true, "6202": true, "6203": true, "6301": true}

// sealedMessage is the mobile envelope (domain 3.6), both ways.
type sealedMessage struct {
	Code     int    `json:"code,omitempty"`
	AppID    string `json:"appId"`
	EncType  string `json:"encType"`
	SignType string `json:"signType"`
	Time     string `json:"timestamp"`
	Version  string `json:"version"`
	EncData  string `json:"encData"`
	SignData string `json:"signData"`
}

// opened is a mobile envelope after its signature was verified.
type opened struct {
	signature
	keys    smKeys
	sealKey string
	appID   string
	version string
	message []byte
}

// openMobile takes a mobile envelope: who it is from, and the message in it.
func (d *door) openMobile(ctx context.Context, body []byte) (opened, *family.Refusal) {
	o, err := parse(body)
	if err != nil {
		return opened{}, &family.Refusal{Code: family.Malformed, Detail: err.Error()}
	}
	n := newNode(o, "")
	env := sealedMessage{
		AppID: n.need("appId", 64), EncType: n.need("encType", 8), SignType: n.need("signType", 8), Time: n.need("timestamp", 20),
		Version: n.need("version", 10), EncData: n.need("encData", maxBody), SignData: n.need("signData", 200),
	}
	if env.EncType != "SM4" || env.SignType != "SM2" {
		n.wrong("encType", "SM4, signed by SM2")
	}
	if *n.fault != nil {
		return opened{}, *n.fault
	}
	// Systems send seconds or milliseconds.
	at, err := strconv.ParseInt(env.Time, 10, 64)
	if err != nil || at <= 0 || len(env.Time) != 10 && len(env.Time) != 13 {
		return opened{}, denial(expired)
	}
	then := time.Unix(at, 0)
	if len(env.Time) == 13 {
		then = time.UnixMilli(at)
	}
	if skew := d.now().Sub(then); skew > window || skew < -window {
		return opened{}, denial(expired)
	}
	key, refusal := d.key(ctx, app.SchemeSM, env.AppID)
	if refusal != nil {
		return opened{}, refusal
	}
	keys, err := parseSMKeys(key.Secret)
	if err != nil {
		d.log.ErrorContext(ctx, "a key cannot be used", "error", err)
		return opened{}, family.Refuse(family.Internal)
	}
	sealKey, err := secKey(env.AppID, keys.appSecret)
	if err != nil {
		return opened{}, denial(stranger)
	}
	text, err := sm4Open(sealKey, env.EncData)
	if err != nil {
		return opened{}, denial(mismatch)
	}
	data, err := parse(text)
	if err != nil {
		return opened{}, denial(mismatch)
	}
	if !smVerify(keys.theirs, toSign(env.AppID, env.EncType, env.SignType, env.Time, env.Version, data, keys.appSecret), env.SignData) {
		return opened{}, denial(mismatch)
	}
	return opened{signature{key: key, text: env.AppID + "\n" + env.SignData, until: then.Add(window)}, keys, sealKey, env.AppID, env.Version, text}, nil
}

// serveMobile answers an encrypted message by an encrypted answer. What is wrong
// before its sender is known is answered in the open.
func (c *call) serveMobile(w http.ResponseWriter, body []byte) error {
	in, refusal := c.openMobile(c, body)
	if refusal != nil {
		return refusal
	}
	c.mobile = true
	out, err := c.handle(in.message, "", in.signature)
	if err != nil {
		return err
	}
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	if err := e.Encode(c.reply(0, "", out)); err != nil {
		return err
	}
	data, err := parse(plain.Bytes())
	if err != nil {
		return err
	}
	text := []byte(compact(data))
	answer := sealedMessage{AppID: in.appID, EncType: "SM4", SignType: "SM2", Time: strconv.FormatInt(c.now().UnixMilli(), 10), Version: in.version}
	if answer.EncData, err = sm4Seal(in.sealKey, text); err != nil {
		return err
	}
	if answer.SignData, err = smSign(in.keys.ours, toSign(answer.AppID, answer.EncType, answer.SignType, answer.Time, answer.Version, data, in.keys.appSecret)); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// An order (6201) is a bill that is told of now and paid by another message (6202). It
// is kept as it came; its number is the settlement's, so it is paid once.

// states of an order (ordStas).
const (
	orderSaved = "0"
	orderDone  = "6"
	orderBack  = "7"
)

type orderWire struct {
	PayOrdID string `json:"payOrdId"`
	OrdStas  string `json:"ordStas"`
	FeeSum   yuan   `json:"feeSumamt"`
	OwnPay   yuan   `json:"ownPayAmt"`
	PsnAcct  yuan   `json:"psnAcctPay"`
	FundPay  yuan   `json:"fundPay"`
	settled
}

func (c *call) order(o app.Outcome, id, state string) (any, error) {
	told, err := c.tell(o)
	if err != nil {
		return nil, err
	}
	b := o.Settlement.Paid
	return orderWire{id, state, yuan(b.Total), yuan(b.CashDue), yuan(b.OwnPaid + b.SharedPaid), yuan(b.FundPaid), told.(settled)}, nil
}

// placeOrder keeps a bill and tells what it would be (6201).
func placeOrder(c *call) (any, error) {
	ask, err := c.purchase()
	if err != nil {
		return nil, err
	}
	o, err := c.app.Quote(c, c.place, ask)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(c.input.o)
	if err != nil {
		return nil, err
	}
	if err := c.app.PutFile(c, c.place, app.File{ID: c.message, Name: "order", Body: text}); err != nil {
		return nil, err
	}
	return c.order(o, string(c.message), orderSaved)
}

// payOrder settles an order (6202), once, whichever message asks for it.
func payOrder(c *call) (any, error) {
	in := c.input.first("data")
	id := messageIn(in, "payOrdId")
	if *in.fault != nil {
		return nil, *in.fault
	}
	kept, err := c.app.GetFile(c, c.place, id)
	if err != nil {
		return nil, err
	}
	input, err := parse(kept.Body)
	if err != nil || kept.Name != "order" {
		return nil, &family.Refusal{Code: family.NotFound, Field: "payOrdId"}
	}
	of := *c
	of.input = newNode(input, "")
	ask, err := of.purchase()
	if err != nil {
		return nil, err
	}
	ask.Message, ask.Sent.Form = id, "6202\n"+string(id)
	o, err := c.app.Settle(c, c.place, ask)
	if err != nil {
		return nil, err
	}
	return c.order(o, string(id), orderDone)
}

// refundOrder gives an order's money back (6203); in part it is not offered.
func refundOrder(c *call) (any, error) {
	in := c.input.first("data")
	id, patient := messageIn(in, "payOrdId"), psnNo(in)
	if kind := in.text("refdType", 8); kind != "" && kind != "ALL" {
		in.wrong("refdType", "ALL")
	}
	if *in.fault != nil {
		return nil, *in.fault
	}
	c.sent.Note = noted{Infno: c.infno}.String()
	o, err := c.app.ReverseSent(c, c.place, id, c.message, patient, c.sent)
	if err != nil {
		return nil, err
	}
	return struct {
		PayOrdID   string `json:"payOrdId"`
		RefStatus  string `json:"refStatus"`
		SetlID     string `json:"setl_id"`
		TotlRefAmt yuan   `json:"totlRefdAmt"`
	}{string(id), "SUCC", string(o.Settlement.ID), yuan(-o.Settlement.Paid.Total)}, nil
}

// findOrder tells what became of an order (6301).
func findOrder(c *call) (any, error) {
	in := c.input.first("data")
	id := messageIn(in, "payOrdId")
	if *in.fault != nil {
		return nil, *in.fault
	}
	state := orderSaved
	switch o, err := c.app.PlaceSettlement(c, c.place, id); {
	case err == nil && o.Settlement.State() == family.StateReversed:
		state = orderBack
	case err == nil:
		state = orderDone
	default:
		if _, err := c.app.GetFile(c, c.place, id); err != nil {
			return nil, err
		}
	}
	return struct {
		PayOrdID string `json:"payOrdId"`
		OrdStas  string `json:"ordStas"`
	}{string(id), state}, nil
}
