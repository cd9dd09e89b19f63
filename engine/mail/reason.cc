#include "engine/mail/reason.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "engine/mail/free_form.h"
#include "engine/mail/human_text.h"
#include "models/status_code.h"

namespace rebound {
namespace {

// Words of failure, lower case: enough to tell a reason from a greeting, not to class it.
constexpr std::array kFailureWords = std::to_array<std::string_view>({
    // English
    "unknown",
    "not found",
    "couldn't find",
    "could not",
    "couldn't",
    "can't",
    "cannot",
    "unable to",
    "rejected",
    "refused",
    "failed",
    "failure",
    "over quota",
    "quota",
    "mailbox is full",
    "mailbox full",
    "full",
    "exceed",
    "disabled",
    "does not exist",
    "doesn't exist",
    "doesn't have",
    "not exist",
    "no such",
    "no mailbox",
    "denied",
    "blocked",
    "spam",
    "timed out",
    "time out",
    "timeout",
    "invalid",
    "unrouteable",
    "unroutable",
    "undeliverable",
    "not listed",
    "not accept",
    "not allowed",
    "not permitted",
    "prohibited",
    "too large",
    "too many",
    "inactive",
    "suspended",
    "deferred",
    "delayed",
    "expired",
    "bad address",
    "not valid",
    "in the queue too long",
    "retry time",
    "error",
    "wasn't delivered",
    "wasn't able",
    "not delivered",
    "loop",
    // German, Dutch, Nordic
    "unbekannt",
    "abgelehnt",
    "nicht gefunden",
    "konnte nicht",
    "existiert nicht",
    "fehler",
    "zurückgewiesen",
    "voll",
    "onbekend",
    "geweigerd",
    "niet worden",
    "bestaat niet",
    "okänd",
    "kunde inte",
    "findes ikke",
    "ikke levere",
    "ukjent",
    "ei löydy",
    "ei voitu",
    // Romance
    "inconnu",
    "refusé",
    "introuvable",
    "n'existe pas",
    "n'a pas pu",
    "impossible",
    "échec",
    "plein",
    "desconocid",
    "rechazad",
    "no existe",
    "no se pudo",
    "no se ha podido",
    "lleno",
    "sconosciut",
    "rifiutat",
    "inesistente",
    "impossibile",
    "non esiste",
    "pieno",
    "desconhecid",
    "rejeitad",
    "não existe",
    "não foi possível",
    "cheia",
    "necunoscut",
    "nu există",
    // Slavic, Turkish, Greek, Hungarian
    "не существует",
    "не найден",
    "отклонен",
    "переполнен",
    "не удалось",
    "не может",
    "неизвест",
    "не існує",
    "nie istnieje",
    "odrzucon",
    "nieznan",
    "przepełnion",
    "neexistuje",
    "odmítnut",
    "nepoznat",
    "bulunamadı",
    "reddedildi",
    "dolu",
    "δεν υπάρχει",
    "απορρίφθηκε",
    "nem létezik",
    // East Asian, Arabic, Hebrew
    "存在しません",
    "見つかりません",
    "拒否",
    "できません",
    "容量",
    "不存在",
    "拒绝",
    "拒絕",
    "失败",
    "失敗",
    "无法",
    "無法",
    "退信",
    "존재하지",
    "거부",
    "실패",
    "غير موجود",
    "رفض",
    "فشل",
    "אינו קיים",
    "נדחתה",
});

constexpr std::array kDelayWords = std::to_array<std::string_view>({
    "has not yet been delivered",
    "not yet been able to",
    "warning message only",
    "this is a warning only",
    "no need to resend",
    "will be retried",
    "will retry",
    "will keep trying",
    "continue to attempt",
    "still being retried",
    "delivery is delayed to",
    "has been delayed",
    "transient non-fatal errors",
    "could not send message for past",
    "still undelivered",
    "delivery incomplete",
    "technical details of temporary failure",
    "you do not need to resend",
    "delay reason:",
});

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "550 ", "550-", "550:" at the beginning, and a class of failures.
bool BeginsReply(std::string_view text) {
  return text.size() > 3 && (text[0] == '4' || text[0] == '5') && IsDigit(text[1]) &&
         IsDigit(text[2]) && !IsDigit(text[3]) && text[3] != '.';
}

bool DropFront(std::string_view* text, std::string_view front) {
  if (text->size() < front.size() || AsciiLower(text->substr(0, front.size())) != front) {
    return false;
  }
  text->remove_prefix(front.size());
  *text = Trim(*text);
  return true;
}

// To the reply itself where a line leads up to one: "... said: 550 ...", "<host #5.1.1 smtp;550
// ...>", "Remote Server returned '550 ...'".
void DropLead(std::string_view* line) {
  for (const std::string_view lead : {"said: ", "smtp;", "returned '", "response: ", "error: "}) {
    const std::string lower = AsciiLower(*line);
    const size_t at = lower.find(lead);
    if (at == std::string::npos) continue;
    const std::string_view rest = Trim(line->substr(at + lead.size()));
    if (BeginsReply(rest)) *line = rest;
  }
}

std::string_view WithoutMarks(std::string_view line) {
  line = Trim(line);
  while (line.starts_with("<<<") || line.starts_with(">>>")) line = Trim(line.substr(3));
  if (DropFront(&line, "(reason: ") && line.ends_with(')')) line.remove_suffix(1);
  if (line.starts_with("... ")) line.remove_prefix(4);
  while (line.starts_with('#') || line.starts_with('|')) line.remove_prefix(1);
  DropFront(&line, "delay reason: ");
  const size_t before = line.size();
  DropLead(&line);
  const bool led = line.size() != before;
  for (const std::string_view end : {"#SMTP#", "##"}) {
    if (line.ends_with(end)) line = Trim(line.substr(0, line.size() - end.size()));
  }
  const bool opened = line.starts_with('<') && line.find(" #") != std::string_view::npos;
  const bool unpaired =
      std::count(line.begin(), line.end(), '>') > std::count(line.begin(), line.end(), '<');
  if (led && line.ends_with('\'')) line.remove_suffix(1);
  if (line.ends_with('>') && unpaired) line.remove_suffix(1);
  if (opened) {
    line.remove_prefix(1);
    if (line.ends_with('>')) line.remove_suffix(1);
  }
  return Trim(line);
}

// Words that say nothing of the cause where a reply stands before them.
bool IsNoise(std::string_view line, const std::string& before) {
  const std::string lower = AsciiLower(Trim(line).substr(0, 40));
  return lower.starts_with("giving up on ") || lower.starts_with(">>> ") ||
         (lower.starts_with("i'm not going to try again") && BeginsReply(before));
}

}  // namespace

int ScoreOfReason(std::string_view line) {
  line = Trim(line);
  if (line.empty() || line.starts_with("http://") || line.starts_with("https://")) return 0;
  const StatusCodes codes = FindStatusCodes(line);
  const bool failing = codes.enhanced.starts_with('4') || codes.enhanced.starts_with('5');
  const bool reply = codes.reply.starts_with('4') || codes.reply.starts_with('5');
  int score = (failing ? 6 : 0) + (reply ? 6 : 0);
  const std::string lower = LowerOf(line);
  const auto holds = [&](std::string_view word) { return lower.find(word) != std::string::npos; };
  if (std::any_of(kFailureWords.begin(), kFailureWords.end(), holds)) score += kLikelyReason;
  if (holds(" said:")) score += 1;
  if (score > 0 && BeginsReply(WithoutMarks(line))) score += 2;
  return score;
}

std::string JoinReason(std::span<const std::string_view> lines) {
  std::string out;
  for (const std::string_view raw : lines) {
    if (IsNoise(raw, out)) continue;
    const std::string_view line = WithoutMarks(raw);
    if (line.empty()) continue;
    if (out.size() + line.size() > 4096) break;
    if (!out.empty()) out += BeginsReply(line) && BeginsReply(out) ? '\n' : ' ';
    out += line;
  }
  return RepairUtf8(out);
}

bool GoesOnReply(std::string_view before, std::string_view line) {
  before = WithoutMarks(before);
  line = WithoutMarks(line);
  return BeginsReply(before) && before[3] == '-' && BeginsReply(line) &&
         before.substr(0, 3) == line.substr(0, 3);
}

std::string FindRemoteHost(std::string_view text) {
  const std::string lower = AsciiLower(text.substr(0, 4096));
  for (const std::string_view lead : {"host ", "while talking to ", " by ", "server:"}) {
    for (size_t at = lower.find(lead); at != std::string::npos; at = lower.find(lead, at + 1)) {
      if (lead[0] != ' ' && at > 0 && lower[at - 1] >= 'a' && lower[at - 1] <= 'z') continue;
      size_t begin = at + lead.size();
      while (begin < lower.size() && (lower[begin] == ' ' || lower[begin] == '\t')) ++begin;
      size_t end = begin;
      while (end < lower.size() && (IsDigit(lower[end]) || lower[end] == '.' || lower[end] == '-' ||
                                    (lower[end] >= 'a' && lower[end] <= 'z'))) {
        ++end;
      }
      std::string_view host = std::string_view(lower).substr(begin, end - begin);
      while (host.ends_with('.')) host.remove_suffix(1);
      if (lead == " by " && !std::string_view(lower).substr(end).starts_with(" [")) continue;
      if (host.find('.') != std::string_view::npos) return std::string(host);
    }
  }
  return "";
}

bool TellsDelay(std::string_view lower) {
  return std::any_of(kDelayWords.begin(), kDelayWords.end(), [&](std::string_view word) {
    return lower.find(word) != std::string_view::npos;
  });
}

}  // namespace rebound
