#include "engine/mail/auto_reply.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "engine/mail/human_text.h"

namespace rebound {
namespace {

// Subjects of absence notes and automatic answers, lower case, anywhere in the subject.
constexpr std::array kAutoSubjects = std::to_array<std::string_view>({
    "out of office",
    "out of the office",
    "out-of-office",
    "automatic reply",
    "auto reply",
    "auto-reply",
    "autoreply",
    "auto response",
    "auto-response",
    "autoresponse",
    "autoresponder",
    "automated reply",
    "automated response",
    "vacation reply",
    "away from my mail",
    "on vacation",
    "abwesenheitsnotiz",
    "abwesenheitsnachricht",
    "abwesenheitsmeldung",
    "automatische antwort",
    "nicht im büro",
    "réponse automatique",
    "reponse automatique",
    "absence du bureau",
    "absent du bureau",
    "message d'absence",
    "respuesta automática",
    "respuesta automatica",
    "fuera de la oficina",
    "fuera de oficina",
    "resposta automàtica",
    "risposta automatica",
    "fuori sede",
    "fuori ufficio",
    "resposta automática",
    "resposta automatica",
    "fora do escritório",
    "ausência temporária",
    "automatisch antwoord",
    "afwezigheidsbericht",
    "niet aanwezig",
    "autosvar",
    "automatiskt svar",
    "automatisk svar",
    "frånvarande",
    "frånvaromeddelande",
    "ikke på kontoret",
    "fravær",
    "automaattinen vastaus",
    "poissaoloilmoitus",
    "poissa toimistosta",
    "sjálfvirkt svar",
    "automatyczna odpowiedź",
    "autoodpowiedź",
    "nieobecność w biurze",
    "poza biurem",
    "automatická odpověď",
    "automatická odpoveď",
    "mimo kancelář",
    "automatikus válasz",
    "házon kívül",
    "răspuns automat",
    "raspuns automat",
    "automatski odgovor",
    "samodejni odgovor",
    "automatinis atsakymas",
    "automātiskā atbilde",
    "automaatvastus",
    "автоматический ответ",
    "автоответ",
    "вне офиса",
    "автоматична відповідь",
    "автоматичен отговор",
    "αυτόματη απάντηση",
    "εκτός γραφείου",
    "otomatik yanıt",
    "otomatik cevap",
    "ofis dışında",
    "自動応答",
    "自動返信",
    "不在通知",
    "不在のお知らせ",
    "自动答复",
    "自动回复",
    "自動回覆",
    "不在办公室",
    "자동 회신",
    "자동 응답",
    "부재중",
    "رد تلقائي",
    "خارج المكتب",
    "תשובה אוטומטית",
    "מחוץ למשרד",
    "trả lời tự động",
    "balasan otomatis",
    "ตอบกลับอัตโนมัติ",
});

constexpr std::array kBounceSubjects = std::to_array<std::string_view>({
    "undelivered mail returned to sender",
    "delivery status notification",
    "mail delivery failed",
    "mail delivery failure",
    "delivery failure",
    "delivery failed",
    "returned mail",
    "failure notice",
    "undeliverable",
    "undelivered",
    "could not be delivered",
    "couldn't be delivered",
    "message not delivered",
    "mail delivery system",
    "mail system error",
    "delayed mail",
    "delivery delayed",
    "delivery has been delayed",
    "delivery notification",
    "not delivered",
    "delivery problem",
    "delivery error",
    "mail could not be delivered",
    "returning message to sender",
    "warning: message",
    "warning: could not send message",
    "nondeliverable mail",
    "non delivery",
    "unzustellbar",
    "nicht zustellbar",
    "zustellung fehlgeschlagen",
    "non remis",
    "non distribu",
    "échec de la remise",
    "échec de remise",
    "no se puede entregar",
    "no entregado",
    "no se entregó",
    "não é possível entregar",
    "não entregue",
    "falha na entrega",
    "recapito non riuscito",
    "mancato recapito",
    "impossibile recapitare",
    "onbestelbaar",
    "kan ikke leveres",
    "kunde inte levereras",
    "toimittaminen epäonnistui",
    "nie można dostarczyć",
    "niedostarczon",
    "nedoručiteln",
    "kézbesíthetetlen",
    "недоставлен",
    "не доставлен",
    "невозможно доставить",
    "teslim edilemedi",
    "iletilemedi",
    "配信不能",
    "配信できません",
    "系统退信",
    "退信",
    "無法傳遞",
    "未送達",
    "无法投递",
    "반송",
    "전달할 수 없",
    "תקלה במסירה",
    "تعذر تسليم",
});

// What challenges say of themselves, lower case, anywhere in the words.
constexpr std::array kChallengeWords = std::to_array<std::string_view>({
    "to confirm that you are a human",
    "confirm that you are not a spammer",
    "verify that you are a real person",
    "verify that you are a person",
    "prove you are human",
    "prove that you are human",
    "this one-time verification",
    "this is a one-time verification",
    "your message will be delivered once you confirm",
    "confirm your message by replying",
    "release your message",
    "has not been delivered yet. to deliver",
    "challenge-response",
    "challenge/response",
    "just reply to this message",
    "please confirm your message",
    "add yourself to my list of approved senders",
    "added to my list of allowed senders",
    "to be added to my approved",
    "antispam uol",
    "spam arrest",
    "boxbe",
    "knowspam",
    "choicemail",
    "tmda",
    "sendio",
    "mailwasher verification",
    "is protecting my email from spam",
    "is protecting himself from receiving junk mail",
    "complete this short verification",
});

template <size_t N>
bool HoldsAny(std::string_view lower, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return lower.find(word) != std::string_view::npos;
  });
}

std::string Subject(std::string_view text) { return LowerOf(text.substr(0, 2000)); }

}  // namespace

bool IsAutoReply(const MimeMessage& message) {
  const std::string submitted = AsciiLower(message.Field("Auto-Submitted"));
  if (submitted.starts_with("auto-replied") || submitted.starts_with("auto-notified")) return true;
  for (const std::string_view name :
       {"X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply", "X-AutoReply-From",
        "X-Mail-Autoreply", "X-Autogenerated", "X-Vacation"}) {
    const std::string value = AsciiLower(message.Field(name));
    if (!value.empty() && value != "no") return true;
  }
  const std::string precedence = AsciiLower(message.Field("Precedence"));
  if (precedence == "auto_reply" || precedence == "auto-reply") return true;
  if (HoldsAny(Subject(message.Field("Subject")), kAutoSubjects)) return true;
  // Exchange marks its notes "All"; other programs so mark what they send first.
  const bool answers = !message.Field("In-Reply-To").empty();
  return answers &&
         (AsciiLower(message.Field("X-Auto-Response-Suppress")) == "all" || precedence == "bulk" ||
          precedence == "junk" || submitted.starts_with("auto-generated"));
}

bool IsChallenge(const MimeMessage& message, const std::vector<std::string_view>& lines) {
  for (const std::string_view name : {"X-Boxbe-Challenge", "X-SpamArrest-ID", "X-TMDA-Fingerprint",
                                      "X-ChoiceMail-Registration-Request", "X-Sendio-Challenge"}) {
    if (!message.Field(name).empty()) return true;
  }
  const bool answer = IsAutoReply(message) || !message.Field("In-Reply-To").empty() ||
                      AsciiLower(message.Field("Subject")).starts_with("re:");
  if (!answer) return false;
  std::string words;
  for (const std::string_view line : lines) {
    if (Trim(line).starts_with('>')) continue;
    words += AsciiLower(Trim(line).substr(0, 1000));
    words += ' ';
    if (words.size() > 8192) break;
  }
  return HoldsAny(words, kChallengeWords);
}

bool IsBounceSubject(std::string_view subject) {
  return HoldsAny(Subject(subject), kBounceSubjects);
}

}  // namespace rebound
