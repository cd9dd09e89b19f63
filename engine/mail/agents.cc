// The families of free texts, by the words that open them.
#include <array>
#include <string>

#include "base/text.h"
#include "engine/mail/free_form.h"
#include "engine/mail/reason.h"

namespace rebound {
namespace {

struct Opening {
  std::string_view words;  // lower case
  std::string_view agent;
};

constexpr std::array kOpenings = std::to_array<Opening>({
    {"this is the qmail-send program", "qmail"},
    {"i'm afraid i wasn't able to deliver your message to the following address", "qmail"},
    {"hi. this is the james mail server", "james"},
    {"a message that you sent could not be delivered to", "exim"},
    {"a message that you sent has not yet been delivered", "exim"},
    {"a message that you sent contained one or more recipient addresses that were", "exim"},
    {"this message was created automatically by mail delivery software", "exim"},
    {"this message was created automatically by the mail system (ecelerity)", "momentum"},
    {"this is the mail system at host", "postfix"},
    {"this is the postfix program at host", "postfix"},
    {"i'm sorry to have to inform you that your message could not", "postfix"},
    {"immediately below you will find a list of the affected recipients", "powermta"},
    {"hi! this is the mailer-daemon", "opensmtpd"},
    {"running the courier mail server", "courier"},
    {"technical details of permanent failure", "gmail"},
    {"technical details of temporary failure", "gmail"},
    {"delivery to the following recipient failed permanently", "gmail"},
    {"delivery to the following recipients failed permanently", "gmail"},
    {"delivery to the following recipient has been delayed", "gmail"},
    {"** address not found **", "gmail"},
    {"** message not delivered **", "gmail"},
    {"** message blocked **", "gmail"},
    {"** delivery incomplete **", "gmail"},
    {"sorry, we were unable to deliver your message to the following address", "yahoo"},
    {"unable to deliver message to the following address", "yahoo"},
    {"your mail to the following recipients could not be delivered", "aol"},
    {"addresses had permanent fatal errors", "sendmail"},
    {"addresses had transient non-fatal errors", "sendmail"},
    {"addresses had delivery problems", "sendmail"},
    {"addresses had fatal errors", "sendmail"},
    {"transcript of session follows", "sendmail"},
    {"could not send message for past", "sendmail"},
    {"delivery has failed to these recipients", "exchange"},
    {"delivery is delayed to these recipients", "exchange"},
    {"your message did not reach some or all of the intended recipients", "exchange"},
    {"the following recipient(s) could not be reached", "exchange"},
    {"the following recipient(s) cannot be reached", "exchange"},
    {"diagnostic information for administrators", "exchange"},
    {"generating server:", "exchange"},
    {"ihre nachricht hat einige oder alle empfänger nicht erreicht", "exchange"},
    {"fehler bei der nachrichtenzustellung an folgende empfänger", "exchange"},
    {"échec de la remise pour ces destinataires", "exchange"},
    {"votre message n'est pas parvenu à certains des destinataires", "exchange"},
    {"no se pudo entregar el mensaje a estos destinatarios", "exchange"},
    {"impossibile recapitare il messaggio ai seguenti destinatari", "exchange"},
    {"falha na entrega a estes destinatários", "exchange"},
    {"falha na entrega para estes destinatários", "exchange"},
    {"kan het bericht niet bezorgen bij de volgende geadresseerden", "exchange"},
    {"nie można dostarczyć wiadomości do następujących adresatów", "exchange"},
    {"не удалось доставить сообщение следующим получателям", "exchange"},
    {"次の受信者またはグループへの配信に失敗しました", "exchange"},
    {"failure reasons", "domino"},
    {"was not delivered to:", "domino"},
    {"an error occurred while trying to deliver the mail to the following recipients", "ses"},
    {"the message that you sent was undeliverable to the following", "groupwise"},
    {"message could not be delivered to some recipients", "mailenable"},
    {"xmail bounce:", "xmail"},
    {"undeliverable to ", "imail"},
});

// A signature that stands further down is somebody's quotation.
constexpr size_t kOpeningLines = 25;

}  // namespace

FreeFormAgent FindAgent(const std::vector<std::string_view>& lines) {
  // Lines are joined: families break theirs at different words.
  std::string opening;
  size_t taken = 0;
  for (const std::string_view line : lines) {
    const std::string_view words = Trim(line);
    if (words.empty() || words.starts_with('>')) continue;
    if (++taken > kOpeningLines) break;
    opening += LowerOf(words.substr(0, 1000));
    opening += ' ';
  }
  for (const Opening& candidate : kOpenings) {
    if (opening.find(candidate.words) != std::string::npos) {
      return {candidate.agent, TellsDelay(opening)};
    }
  }
  return {"", TellsDelay(opening)};
}

}  // namespace rebound
