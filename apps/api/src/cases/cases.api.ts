import { Module } from '@nestjs/common';
import { CasesModule } from '#cases';
import { DispatchModule } from '#dispatch';
import { CasePhotosController } from './case-photos.controller.ts';
import { CasesController } from './cases.controller.ts';

@Module({ imports: [CasesModule, DispatchModule], controllers: [CasesController, CasePhotosController] })
export class CasesApi {}
