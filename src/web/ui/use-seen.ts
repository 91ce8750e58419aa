import { useEffect, useRef, useState } from 'react';

/** Whether an element has come into sight, or close to it: what costs much is asked for only then. */
export function useSeen() {
  const ref = useRef<HTMLDivElement>(null);
  const [seen, see] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) see(true);
      },
      { rootMargin: '200px' },
    );
    observer.observe(ref.current!);
    return () => observer.disconnect();
  }, []);
  return [ref, seen] as const;
}
