/** Every kind that is known by a form and a check, one row each. Of two that fit a number equally well the first is told. */
import { documents } from './documents.ts';
import type { Examples, Identifier } from './identifier.ts';
import { asia } from './national/asia.ts';
import { australia } from './national/australia.ts';
import { centralEurope } from './national/central-europe.ts';
import { germany } from './national/germany.ts';
import { india } from './national/india.ts';
import { nordic } from './national/nordic.ts';
import { northAmerica } from './national/north-america.ts';
import { south } from './national/south.ts';
import { southernEurope } from './national/southern-europe.ts';
import { unitedKingdom } from './national/united-kingdom.ts';
import { unitedStates } from './national/united-states.ts';
import { westernEurope } from './national/western-europe.ts';
import { paymentCard } from './payment-card.ts';
import { walletExamples } from './crypto-wallet.ts';
import { emailExamples } from './email.ts';
import { ibanExamples } from './iban.ts';
import { ipExamples } from './ip-address.ts';
import { dottedMac, macExamples } from './mac-address.ts';
import { internationalExamples, nationalPhones } from './phone.ts';

export const identifiers: readonly Identifier[] = [
  paymentCard, ...unitedStates, ...unitedKingdom, ...northAmerica, ...australia, ...india, ...germany, ...southernEurope, ...nordic, ...centralEurope, ...westernEurope, ...asia, ...south, ...documents, ...nationalPhones, dottedMac,
];

/** A kind as people are told of it. */
export interface Kind extends Examples {
  readonly rule: string;
  readonly about: string;
}

/** All kinds. The first ones have a grammar of their own. */
export const piiKinds: readonly Kind[] = [
  { rule: 'email', about: 'E-mail address', ...emailExamples },
  { rule: 'phone', about: 'Telephone number', ...internationalExamples },
  { rule: 'iban', about: 'International bank account number', ...ibanExamples },
  { rule: 'ip-address', about: 'IP address', ...ipExamples },
  { rule: 'mac-address', about: 'Hardware address of a network card', ...macExamples },
  { rule: 'crypto-wallet', about: 'Bitcoin address', ...walletExamples },
  ...identifiers,
];
