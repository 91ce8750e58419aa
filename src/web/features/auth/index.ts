export { Forgot } from './forgot.tsx';
export { Invitation } from './invitation.tsx';
export { Register } from './register.tsx';
export { Reset } from './reset.tsx';
export { SignIn } from './sign-in.tsx';
