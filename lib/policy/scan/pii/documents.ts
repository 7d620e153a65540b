/** Documents whose numbers have no public check: a passport is known by the word beside it. */
import type { Identifier } from './identifier.ts';

export const documents: readonly Identifier[] = [{
  rule: 'passport-number', about: 'Passport number, where a word says so',
  forms: [['999999999', 'words'], ['A99999999', 'words'], ['A9999999', 'words'], ['AA9999999', 'words'], ['AA999999', 'words'], ['AAA999999', 'words'], ['A999A9999', 'words'], ['99AA99999', 'words'], ['AXXXXXXXX', 'words']],
  valid: (compact) => (compact.match(/\d/g)?.length ?? 0) >= 4,
  words: ['passport', 'passport number', 'passport no', 'travel document', 'reisepass', 'pasaporte', 'passaporto', 'passeport', 'paspoort', 'passaporte', '여권', '旅券', '护照'],
  beside: 'medium',
  match: ['passport number: J6932157', 'Mi pasaporte es AAA123456', 'travel passport: A12803456'],
  ignore: ['A12803456', 'passport photo 1234', 'passport version 1.2.3'],
}];
