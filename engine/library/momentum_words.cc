#include "engine/library/momentum_words.h"

namespace rebound {

const char* MomentumDescription(int code) {
  switch (code) {
    case 1:
      return "The reply does not tell a reason.";
    case 10:
      return "The recipient's address does not exist or takes no mail.";
    case 20:
      return "The message could not be delivered for a passing reason.";
    case 21:
      return "The recipient's domain or its mail server could not be found in DNS.";
    case 22:
      return "The recipient's mailbox is full.";
    case 23:
      return "The message is larger than the receiver allows.";
    case 24:
      return "The receiver did not answer in time.";
    case 25:
      return "The sender's own server refused the message by its configuration.";
    case 30:
      return "A bounce that does not say which recipient failed.";
    case 40:
      return "A bounce whose reason is not known.";
    case 50:
      return "The receiver blocks mail of this sender.";
    case 51:
      return "The receiver blocks this sender as a source of spam.";
    case 52:
      return "The receiver takes the message for spam.";
    case 53:
      return "The receiver refuses an attachment of the message.";
    case 54:
      return "The server does not relay mail of this sender.";
    case 60:
      return "An automatic answer, no bounce.";
    case 70:
      return "The receiver asks to try again later.";
    case 80:
      return "A request to be subscribed.";
    case 90:
      return "A request to be unsubscribed.";
    case 100:
      return "An answer that asks the sender to prove to be human.";
    default:
      return "A class of the site's own.";
  }
}

}  // namespace rebound
