// Package his is the door through which hospital and pharmacy systems settle
// unchanged: the national interface (XJ-K01-2020; SPEC is Hunan's edition, 湖南省医疗
// 保障信息平台定点医药机构接口规范 V1.1.27) over the acts of package app.
//
// A request goes down these rooms:
//
//	sign.go       whose system asks: the gateway's two conventions of signature
//	envelope.go   what it asks: the message, taken as tolerantly as systems need
//	object.go     its fields: numbers exact, nothing in all its spellings
//	dispatch.go   which transaction (infno) that is
//	…             one file for each family of transactions
//	answer.go     the answer: infcode, err_msg from the catalogue of answers
//
// No rule of the trade lives here. A business "no" is HTTP 200 with infcode −1 and
// a Chinese sentence that ends in our code; only what the gateway itself refuses,
// and what nobody knows, has another status. Where the door leaves the
// specification, DIVERGENCES.md says so.
package his
