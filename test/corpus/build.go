package corpus

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"mime"
	"strings"
	"time"
)

const headerHuge = 100_000 // bytes

// build returns the bytes of message number i, about size of them.
func build(random *rand.Rand, m Message, i, size int) []byte {
	var b bytes.Buffer
	b.Grow(size + 1024)
	header(&b, random, m, i)
	switch m.Kind {
	case KindHeaderOnly:
		return b.Bytes()
	case KindEmptyBody:
		b.WriteString("\r\n")
		return b.Bytes()
	case KindMultipart:
		multipart(&b, random, size)
		return b.Bytes()
	}
	b.WriteString("Content-Type: text/plain; charset=" + charset(m.Kind) + "\r\n\r\n")
	if m.Kind == KindNoMessageID || m.Kind == KindSameID {
		b.WriteString("Reference " + m.Token + "\r\n")
	}
	body(&b, random, m.Kind, size)
	return b.Bytes()
}

func charset(kind Kind) string {
	if kind == KindEightBit {
		return "iso-8859-1"
	}
	return "utf-8"
}

// header writes the header without the empty line that ends it.
func header(b *bytes.Buffer, random *rand.Rand, m Message, i int) {
	if m.Kind == KindMboxFrom {
		b.WriteString("From anna@example.org " + m.Date.Format(time.ANSIC) + "\r\n")
	}
	b.WriteString("Return-Path: <anna@example.org>\r\n")
	for hop := range 1 + random.IntN(3) {
		received(b, random, m.Date, hop)
	}
	if m.Kind == KindHugeHeader {
		for hop := 0; b.Len() < headerHuge; hop++ {
			received(b, random, m.Date, hop)
		}
	}
	b.WriteString("From: " + sender(m.Kind) + "\r\nTo: bob@example.net\r\n")
	zone := time.FixedZone("", 1800*(random.IntN(48)-22))
	b.WriteString("Date: " + m.Date.In(zone).Format(time.RFC1123Z) + "\r\n")
	b.WriteString("Subject: " + subject(random, m.Kind) + "\r\n")
	switch m.Kind {
	case KindNoMessageID:
	case KindSameID:
		// All of a run share one of two identifiers, so that some pair exists
		// as soon as there are three of them.
		fmt.Fprintf(b, "Message-ID: <shared%d@example.org>\r\n", i%2)
	default:
		b.WriteString("Message-ID: <" + m.Token + "@example.org>\r\n")
	}
	b.WriteString("MIME-Version: 1.0\r\n")
}

func received(b *bytes.Buffer, random *rand.Rand, date time.Time, hop int) {
	fmt.Fprintf(b, "Received: from relay%d.example.org (relay%[1]d.example.org [192.0.2.%d])\r\n", hop, random.IntN(255))
	fmt.Fprintf(b, "\tby mx.example.net with ESMTPS id %016x\r\n", random.Uint64())
	fmt.Fprintf(b, "\tfor <bob@example.net>; %s\r\n", date.Format(time.RFC1123Z))
}

func sender(kind Kind) string {
	switch kind {
	case KindEightBit:
		return "J\xfcrgen M\xfcller <juergen@example.org>"
	case KindRawSubject:
		return "Jürgen Müller <juergen@example.org>"
	case KindEncodedSubject:
		return mime.QEncoding.Encode("utf-8", "Jürgen Müller") + " <juergen@example.org>"
	}
	return "Anna Example <anna@example.org>"
}

func subject(random *rand.Rand, kind Kind) string {
	const foreign = "Grüße aus Zürich – 日本からの手紙 ✉"
	switch kind {
	case KindEightBit:
		return "Gr\xfc\xdfe aus Z\xfcrich"
	case KindRawSubject:
		return foreign
	case KindEncodedSubject:
		// Encoded words of at most 75 bytes, one to a line. RFC 2047, section 2.
		return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", foreign), "?= =?", "?=\r\n =?")
	}
	return strings.TrimSpace(words(random, 40))
}

// body writes text until the message has about size bytes.
func body(b *bytes.Buffer, random *rand.Rand, kind Kind, size int) {
	line := func() { b.WriteString(words(random, 70) + "\r\n") }
	line()
	switch kind {
	case KindEightBit:
		b.WriteString("Sch\xf6ne Gr\xfc\xdfe, \xa9 1999\r\n")
	case KindRawSubject, KindEncodedSubject:
		b.WriteString("Schöne Grüße, 敬具\r\n")
	case KindLongLines:
		b.WriteString(words(random, max(size, 5000)) + "\r\n")
	case KindBareLF:
		b.WriteString("this line ends in LF alone\nas does this one\n\nand these two\r\n")
	case KindBinary:
		binary(b, random, size)
	}
	for b.Len() < size-70 {
		line()
	}
	if kind == KindNoFinalEOL {
		b.WriteString("and that is all")
	}
}

// binary writes lines of arbitrary bytes without NUL, CR and LF.
func binary(b *bytes.Buffer, random *rand.Rand, size int) {
	for first := true; first || b.Len() < size; first = false {
		for range 200 {
			c := byte(1 + random.IntN(255))
			if c == '\r' || c == '\n' {
				c = 0x80
			}
			b.WriteByte(c)
		}
		b.WriteString("\r\n")
	}
}

func multipart(b *bytes.Buffer, random *rand.Rand, size int) {
	boundary := fmt.Sprintf("=_%016x", random.Uint64())
	b.WriteString("Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n")
	b.WriteString("--" + boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n")
	b.WriteString(words(random, 200) + "\r\n")
	parts := 1 + random.IntN(3)
	for part := range parts {
		b.WriteString("--" + boundary + "\r\nContent-Type: application/octet-stream\r\n")
		fmt.Fprintf(b, "Content-Disposition: attachment; filename=\"scan%d.pdf\"\r\n", part)
		b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n")
		encoded := make([]byte, 57) // 76 characters, RFC 2045, section 6.8
		for end := b.Len() + size/parts; b.Len() < end; {
			for j := range encoded {
				encoded[j] = byte(random.Uint32())
			}
			b.WriteString(base64.StdEncoding.EncodeToString(encoded) + "\r\n")
		}
	}
	b.WriteString("--" + boundary + "--\r\n")
}

// words returns text of about n bytes.
func words(random *rand.Rand, n int) string {
	vocabulary := [...]string{
		"mail", "harbour", "invoice", "meeting", "please", "attached", "thanks", "tomorrow",
		"schedule", "report", "the", "and", "of", "for", "with", "regards", "draft", "see",
	}
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(vocabulary[random.IntN(len(vocabulary))])
		b.WriteByte(' ')
	}
	return b.String()
}
