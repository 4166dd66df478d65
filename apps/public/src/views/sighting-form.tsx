import type { Language } from '#dispatch';
import { type FormFault, MINUTES_AGO, TEXTS } from '../texts.ts';

/** A form that came back: what is wrong with it, and what was written. */
export interface FormState {
  readonly fault: FormFault;
  readonly written: Readonly<Record<string, string>>;
}

interface SightingFormProps {
  readonly language: Language;
  readonly action: string;
  readonly state: FormState | undefined;
}

export function SightingForm({ language, action, state }: SightingFormProps) {
  const texts = TEXTS[language].form;
  const written = state?.written ?? {};
  const optional = <small>({texts.optional})</small>;
  return (
    <form method="post" action={action} encType="multipart/form-data" id="form">
      <h2>{texts.title}</h2>
      <p>{texts.promise}</p>
      {state ? (
        <p class="fault" role="alert">
          {texts.faults[state.fault]}
        </p>
      ) : null}
      <label for="words">{texts.words}</label>
      <textarea
        id="words"
        name="words"
        required
        maxLength={2000}
        placeholder={texts.wordsHint}
        value={written['words']}
      />
      <label for="place">
        {texts.place} {optional}
      </label>
      <input id="place" name="place" maxLength={300} autocomplete="off" value={written['place']} />
      <button class="button plain small" type="button" id="here" hidden data-added={texts.positionAdded}>
        {texts.usePosition}
      </button>
      <input type="hidden" name="lon" />
      <input type="hidden" name="lat" />
      <input type="hidden" name="key" />
      <label for="ago">{texts.when}</label>
      <When language={language} chosen={written['ago'] ?? '0'} />
      <label for="contact">
        {texts.contact} {optional}
      </label>
      <input id="contact" name="contact" maxLength={200} autocomplete="tel" value={written['contact']} />
      <label for="photo">
        {texts.photo} {optional}
      </label>
      <input id="photo" name="photo" type="file" accept="image/*" />
      <button class="button send" type="submit">
        {texts.send}
      </button>
    </form>
  );
}

function When({ language, chosen }: { readonly language: Language; readonly chosen: string }) {
  const texts = TEXTS[language].form;
  return (
    <select id="ago" name="ago">
      {MINUTES_AGO.map((minutes) => (
        <option value={`${minutes}`} selected={chosen === `${minutes}`}>
          {texts.ago(minutes)}
        </option>
      ))}
      <option value="" selected={chosen === ''}>
        {texts.whenUnknown}
      </option>
    </select>
  );
}
