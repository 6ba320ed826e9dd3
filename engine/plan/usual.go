package plan

import (
	"slices"

	"mailmoor/state"
)

// usual are the names that servers and clients give to mailboxes of a role when no
// attribute tells it, the likeliest first: of two mailboxes the one that comes first
// here has the role.
//
// Sources: the attributes and their English names of RFC 6154; the mailboxes that
// Dovecot's example configuration (15-mailboxes.conf), Courier (Trash) and Cyrus make;
// the names that Apple Mail, Outlook with Exchange, Thunderbird, Roundcube and K-9 Mail
// give in the languages in which they come; and those of Gmail, GMX and web.de, IONOS,
// T-Online, Yahoo, mail.ru, QQ Mail and NetEase.
type usual struct {
	role  state.Role
	names []string
}

// usualFolded is the table with all names folded: each run looks through it.
var usualFolded = foldedNames()

func foldedNames() []usual {
	table := usualNames()
	for _, u := range table {
		for i, name := range u.names {
			u.names[i] = state.Fold(name)
		}
	}
	return table
}

// usualNames is the table, in an order that never changes. Mailboxes that only show
// again what others hold are not in it: they are left out, and nothing is left out on
// a guess.
func usualNames() []usual {
	return []usual{
		{state.RoleTrash, []string{
			"Trash", "Deleted Items", "Deleted Messages", "Deleted", "Bin", // English
			"Papierkorb", "Gelöscht", "Gelöschte Elemente", "Gelöschte Objekte", "Gelöschte Nachrichten", // German
			"Corbeille", "Éléments supprimés", "Messages supprimés", // French
			"Papelera", "Elementos eliminados", "Mensajes eliminados", "Papelera de reciclaje", // Spanish
			"Cestino", "Posta eliminata", "Elementi eliminati", // Italian
			"Lixeira", "Itens Excluídos", "Itens Eliminados", "Lixo", // Portuguese
			"Prullenbak", "Verwijderde items", "Prullenmand", // Dutch
			"Papirkurv", "Slettet post", "Slettede elementer", "Søppel", // Danish, Norwegian
			"Papperskorgen", "Papperskorg", "Borttaget", "Borttagna objekt", // Swedish
			"Roskakori", "Poistetut", "Poistetut kohteet", // Finnish
			"Kosz", "Elementy usunięte", // Polish
			"Koš", "Kôš", "Odstraněná pošta", "Odstránená pošta", // Czech, Slovak
			"Kuka", "Törölt elemek", "Lomtár", // Hungarian
			"Корзина", "Удаленные", "Удалённые", "Кошик", "Видалені", // Russian, Ukrainian
			"Çöp", "Çöp Kutusu", "Silinmiş Öğeler", // Turkish
			"ゴミ箱", "削除済みアイテム", "已删除", "已删除邮件", "废纸篓", "刪除的郵件", "垃圾桶", "휴지통", "지운 편지함", // Japanese, Chinese, Korean
		}},
		{state.RoleDrafts, []string{
			"Drafts", "Draft", // English
			"Entwürfe", "Brouillons", "Borradores", "Bozze", "Rascunhos", // German, French, Spanish, Italian, Portuguese
			"Concepten", "Kladder", "Kladd", "Utkast", "Luonnokset", // Dutch, Danish, Norwegian, Swedish, Finnish
			"Szkice", "Kopie robocze", "Wersje robocze", "Koncepty", "Rozepsané", "Piszkozatok", // Polish, Czech, Slovak, Hungarian
			"Черновики", "Чернетки", "Taslaklar", // Russian, Ukrainian, Turkish
			"下書き", "草稿", "草稿箱", "草稿匣", "임시 보관함", // Japanese, Chinese, Korean
		}},
		{state.RoleSent, []string{
			"Sent", "Sent Items", "Sent Messages", "Sent Mail", // English
			"Gesendet", "Gesendete Elemente", "Gesendete Objekte", "Gesendete Nachrichten", // German
			"Envoyés", "Éléments envoyés", "Messages envoyés", // French
			"Enviados", "Elementos enviados", "Mensajes enviados", // Spanish, Portuguese
			"Posta inviata", "Inviata", "Inviati", "Itens Enviados", // Italian, Portuguese
			"Verzonden", "Verzonden items", "Sendt", "Sendt post", "Sendte elementer", "Skickat", "Skickade objekt", // Dutch, Danish, Norwegian, Swedish
			"Lähetetyt", "Wysłane", "Elementy wysłane", "Odeslané", "Odeslaná pošta", "Odoslané", "Elküldött", "Elküldött elemek", // Finnish, Polish, Czech, Slovak, Hungarian
			"Отправленные", "Надіслані", "Gönderilmiş Öğeler", "Gönderilenler", // Russian, Ukrainian, Turkish
			"送信済み", "送信済みアイテム", "送信済みトレイ", "已发送", "已发送邮件", "寄件備份", "보낸 편지함", // Japanese, Chinese, Korean
		}},
		{state.RoleJunk, []string{
			"Junk", "Spam", "Junk E-mail", "Junk Email", "Junk Mail", "Bulk Mail", "Bulk", // English
			"Spamverdacht", "Junk-E-Mail", "Indésirables", "Courrier indésirable", "Correo no deseado", // German, French, Spanish
			"Posta indesiderata", "Lixo Eletrônico", "Lixo Eletrónico", "Ongewenste e-mail", // Italian, Portuguese, Dutch
			"Uønsket mail", "Uønsket e-post", "Søppelpost", "Skräppost", "Roskaposti", // Danish, Norwegian, Swedish, Finnish
			"Wiadomości-śmieci", "Nevyžádaná pošta", "Levélszemét", // Polish, Czech, Slovak, Hungarian
			"Нежелательная почта", "Спам", "Önemsiz", "Önemsiz E-posta", // Russian, Ukrainian, Turkish
			"迷惑メール", "垃圾邮件", "垃圾郵件", "스팸", "스팸함", "정크 메일", // Japanese, Chinese, Korean
		}},
		{state.RoleArchive, []string{
			"Archive", "Archives", // English, French
			"Archiv", "Archivo", "Archivio", "Arquivo", "Archief", "Arkiv", "Arkisto", "Archiwum", // German to Polish
			"Архив", "Архів", "Arşiv", "アーカイブ", "归档", "封存", "보관함", // Russian to Korean
		}},
	}
}

// usualFor reports whether mailboxes of the role are usually called so.
func usualFor(role state.Role, name string) bool {
	name = state.Fold(name)
	return slices.ContainsFunc(usualFolded, func(u usual) bool { return u.role == role && slices.Contains(u.names, name) })
}
