package config

import (
	"testing"
	"time"
)

func TestQuantities(t *testing.T) {
	for text, want := range map[string]int64{
		"1 b": 1, "20 MB": 20_000_000, "20mb": 20_000_000, "512 KiB": 512 << 10, "2 GiB": 2 << 30, "1k": 1000,
		"": -1, "20": -1, "MB": -1, "-1 MB": -1, "0 MB": -1, "1.5 MB": -1, "20 MBs": -1, "99999999999 GB": -1,
		"99999999999999999999 MB": -1, "20 days": -1,
	} {
		if got, err := (value{raw: text}).size(); (err == nil) != (want >= 0) || err == nil && got != want {
			t.Errorf("size of %q is %d, %v; want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]int{
		"1 day": 1, "90 days": 90, "12 weeks": 84, "6 months": 180, "2 years": 730, "2y": 730,
		"": -1, "90": -1, "0 days": -1, "2000 years": -1, "two years": -1, "20 MB": -1,
	} {
		if got, err := (value{raw: text}).days(); (err == nil) != (want >= 0) || err == nil && got != want {
			t.Errorf("age %q is %d, %v; want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]time.Duration{
		"1 s": time.Second, "30 seconds": 30 * time.Second, "1 minute": time.Minute, "5min": 5 * time.Minute, "1 h": time.Hour,
		"": -1, "60": -1, "0 s": -1, "2 hours": -1, "61 minutes": -1, "5 m": -1, "1 day": -1, "-1 s": -1,
	} {
		if got, err := (value{raw: text}).wait(); (err == nil) != (want >= 0) || err == nil && got != want {
			t.Errorf("time to wait %q is %s, %v; want %s", text, got, err, want)
		}
	}
	if _, err := (value{raw: int64(5)}).size(); err == nil {
		t.Error("a number without a unit is taken")
	}
}
