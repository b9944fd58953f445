/** `nextbest evaluate`: how good the models are, on data that others have published figures for. */
import { Command } from 'commander';
import { evaluateChurnCommand } from './evaluate/churn.ts';
import { evaluateClvCommand } from './evaluate/clv.ts';
import { evaluateOffersCommand } from './evaluate/offers.ts';
import { evaluateRankingCommand } from './evaluate/ranking.ts';
import { evaluateRedemptionsCommand } from './evaluate/redemptions.ts';

export const evaluateCommand = (): Command =>
  new Command('evaluate')
    .description('measure the models by the protocols of published tables')
    .addCommand(evaluateRankingCommand())
    .addCommand(evaluateClvCommand())
    .addCommand(evaluateChurnCommand())
    .addCommand(evaluateOffersCommand())
    .addCommand(evaluateRedemptionsCommand());
